"""Attention modules. A new one: one class in its own file, one line here.

A class takes ``(channels, *, options)``, keeps the shape, and lists its layers in
``layers(channels, size, *, options)``. A static method ``widths(options)`` names the inner
widths that pruning may lower; what it pools over the whole image, it does in a method
``pool_globally(x)``. One that multiplies its input by a gate names in ``reads`` the convolution
that reads it for the gate: folding divides its weights by a factor of the input.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.attention.cca import CCA
from search_spaces.attention.epa import EPA
from search_spaces.attention.esa import ESA, ESALite
from search_spaces.attention.pa import PA, Pointwise
from search_spaces.part import Part, Table

__all__ = ["ATTENTIONS", "AttentionPart"]

ATTENTIONS = Table(
    "attention",
    {"cca": CCA, "esa": ESA, "esa_lite": ESALite, "epa": EPA, "pa": PA, "pointwise": Pointwise},
)
AttentionPart = Annotated[Part, ATTENTIONS]
