"""Stems: from image to features. A new one: one class in its own file, one line here.

A class takes ``(colors, channels, activation, *, options)`` and lists its layers in
``layers(colors, channels, activation, size, *, options)``.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.part import Part, Table
from search_spaces.stems.chain import ChainStem, ConvStem
from search_spaces.stems.pyramid import PyramidStem

__all__ = ["STEMS", "StemPart"]

STEMS = Table("stem", {"conv": ConvStem, "chain": ChainStem, "pyramid": PyramidStem})
StemPart = Annotated[Part, STEMS]
