"""Refinement convolutions. A new one: one class in its own file, one line here.

A class takes ``(channels_in, channels_out, *, options)``, keeps height and width, and
lists its layers in ``layers(channels_in, channels_out, size, *, options)``. One with a
method ``fold`` is a training form (a `CollapsedConv`): in use it is a plain 3x3, without bias where
its option ``bias`` is false. A static method
``widths(options)`` names the inner widths that pruning may lower, and ``reads`` the one
convolution that reads the input: folding multiplies its weights by a factor of the input.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.convs.asymmetric import AsymmetricConv
from search_spaces.convs.bsconv import BSConv
from search_spaces.convs.collapsed import CollapsedConv
from search_spaces.convs.depthwise import DepthwiseConv
from search_spaces.convs.plain import PlainConv
from search_spaces.convs.rep import RepConv
from search_spaces.convs.rep_wide import WideRepConv
from search_spaces.part import Part, Table

__all__ = ["CONVS", "PLAIN", "POINTWISE", "CollapsedConv", "ConvPart"]

CONVS = Table(
    "convolution",
    {
        "plain": PlainConv,
        "bsconv": BSConv,
        "depthwise": DepthwiseConv,
        "rep": RepConv,
        "rep_wide": WideRepConv,
        "asymmetric": AsymmetricConv,
    },
)
ConvPart = Annotated[Part, CONVS]

PLAIN = CONVS.parse("plain")
"""A biased 3x3."""

POINTWISE = CONVS.parse({"kind": "plain", "kernel": 1})
"""A biased 1x1."""
