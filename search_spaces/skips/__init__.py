"""Image skips: the enlarged input that is added to a network's output.

A new one: one class in its own file, one line here. A class takes ``(colors, scale, *, options)``
and lists its layers in ``layers(colors, scale, size, *, options)``, ``size`` being the input's.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.part import Part, Table
from search_spaces.skips.linear import LinearSkip
from search_spaces.skips.resized import (
    AnchorSkip,
    BicubicSkip,
    BilinearSkip,
    NearestSkip,
    NoSkip,
)

__all__ = ["RESIZED", "SKIPS", "AnchorSkip", "LinearSkip", "SkipPart"]

SKIPS = Table(
    "image_skip",
    {
        "none": NoSkip,
        "nearest": NearestSkip,
        "anchor": AnchorSkip,
        "bilinear": BilinearSkip,
        "bicubic": BicubicSkip,
        "linear": LinearSkip,
    },
)
SkipPart = Annotated[Part, SKIPS]

RESIZED = frozenset({"nearest", "anchor", "bilinear", "bicubic"})
"""Those that only resize the input."""
