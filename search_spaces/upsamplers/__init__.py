"""Upsamplers: from features to the image. A new one: one class in its own file, one line here.

A class takes ``(channels, colors, scale, activation, *, options)``, its forward ``(features,
image)``, and it lists its layers in ``layers(channels, colors, scale, activation, size, *,
options)``, ``size`` being the input's. The image is the network's input in its own range. One that
ends in a pixel shuffle is a `Shuffled`: image skips that need no resizing are added before it. One
that sets its own first weights does so in a method ``start``. The last convolution makes the image.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.part import Part, Table
from search_spaces.upsamplers.deconv import Deconv
from search_spaces.upsamplers.near import NearShuffle
from search_spaces.upsamplers.pixelshuffle import PixelShuffle, Shuffled

__all__ = ["UPSAMPLERS", "Shuffled", "UpsamplerPart"]

UPSAMPLERS = Table(
    "upsampler", {"pixelshuffle": PixelShuffle, "near": NearShuffle, "deconv": Deconv}
)
UpsamplerPart = Annotated[Part, UPSAMPLERS]
