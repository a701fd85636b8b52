"""Refinement convolutions. A new one: one class in its own file, one line here.

A class takes ``(channels_in, channels_out, *, options)``, keeps height and width, and
lists its layers in ``layers(channels_in, channels_out, size, *, options)``. One with a
method ``fold`` is a training form: in use it is a plain 3x3. A static method
``widths(options)`` names the inner widths that pruning may lower, and ``reads`` the one
convolution that reads the input: folding multiplies its weights by a factor of the input.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.convs.asymmetric import AsymmetricConv
from search_spaces.convs.bsconv import BSConv
from search_spaces.convs.plain import PlainConv
from search_spaces.convs.rep import RepConv
from search_spaces.part import Part, Table

__all__ = ["CONVS", "PLAIN", "ConvPart"]

CONVS = Table(
    "convolution",
    {"plain": PlainConv, "bsconv": BSConv, "rep": RepConv, "asymmetric": AsymmetricConv},
)
ConvPart = Annotated[Part, CONVS]

PLAIN = CONVS.parse("plain")
"""A biased 3x3."""
