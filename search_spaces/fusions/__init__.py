"""Fusions: from all blocks' outputs to the upsampler's input.

A new one: one class in its own file, one line here. A class takes ``(channels, blocks,
activation, *, options)``, its forward ``(stem_output, block_outputs)``, and it lists its
layers in ``layers(channels, blocks, activation, size, *, options)``. There is a block at least;
without any, only `NoFusion` stands.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.fusions.chain import ChainFusion, NoFusion, SumFusion
from search_spaces.fusions.concat import ConcatFusion
from search_spaces.fusions.span import SpanFusion
from search_spaces.part import Part, Table

__all__ = ["FUSIONS", "FusionPart"]

FUSIONS = Table(
    "fusion",
    {
        "concat": ConcatFusion,
        "chain": ChainFusion,
        "sum": SumFusion,
        "span": SpanFusion,
        "none": NoFusion,
    },
)
FusionPart = Annotated[Part, FUSIONS]
