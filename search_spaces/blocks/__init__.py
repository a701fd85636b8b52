"""Blocks of the body. A new one: one class in its own file, one line here.

A class takes ``(channels, activation, *, options)``, keeps the shape, and lists its
layers in ``layers(channels, activation, size, *, options)``. Where options depend on each other or
on the width, a static method ``canonical(channels, options)`` fills them in or rejects
them. A static method ``widths(channels, options)`` names the inner widths that pruning may
lower (`search_spaces.inner`). A method ``open_gates()`` of one that multiplies what it has made out
gives fresh weights with which signals pass; a training by ``first_weights: photos`` begins with it.
"""

from __future__ import annotations

from typing import Annotated

from search_spaces.blocks.distillation import DistillationBlock
from search_spaces.blocks.enhancement import EnhancementBlock
from search_spaces.blocks.fused_mbconv import FusedMBConv
from search_spaces.blocks.group import DistillingGroup
from search_spaces.blocks.plain import PlainBlock
from search_spaces.blocks.spab import SPAB, SPABv2
from search_spaces.part import Part, Table

__all__ = ["BLOCKS", "BlockPart"]

BLOCKS = Table(
    "block",
    {
        "distillation": DistillationBlock,
        "enhancement": EnhancementBlock,
        "distilling_group": DistillingGroup,
        "plain": PlainBlock,
        "fused_mbconv": FusedMBConv,
        "spab": SPAB,
        "spab_v2": SPABv2,
    },
)
BlockPart = Annotated[Part, BLOCKS]
