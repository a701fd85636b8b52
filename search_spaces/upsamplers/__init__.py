"""Upsamplers: from features to the image. A new one: one class in its own file, one line here.

A class takes ``(channels, colors, scale, *, options)`` and lists its layers in
``layers(channels, colors, scale, size, *, options)``, ``size`` being the input's.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.part import Part, Table
from search_spaces.upsamplers.deconv import Deconv
from search_spaces.upsamplers.pixelshuffle import PixelShuffle

__all__ = ["UPSAMPLERS", "UpsamplerPart"]

UPSAMPLERS = Table("upsampler", {"pixelshuffle": PixelShuffle, "deconv": Deconv})
UpsamplerPart = Annotated[Part, UPSAMPLERS]
