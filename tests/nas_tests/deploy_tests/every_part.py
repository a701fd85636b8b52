"""Small networks that together have every part of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.activations import ACTIVATIONS
from search_spaces.architecture import Architecture
from search_spaces.attention import ATTENTIONS
from search_spaces.blocks import BLOCKS
from search_spaces.convs import CONVS
from search_spaces.fusions import FUSIONS
from search_spaces.skips import SKIPS
from search_spaces.stems import STEMS
from search_spaces.upsamplers import UPSAMPLERS
from tests.nas_tests.deploy_tests.test_graphs import FIELDS

__all__ = ["EVERY_PART", "untried"]


def _gated(attention: Any, convolution: str) -> dict[str, Any]:
    return {"kind": "distillation", "stages": 1, "distillation": "none", "attention": attention,
            "convolution": convolution, "residual": "weighted"}  # fmt: skip


_CONVOLVED: dict[str, Any] = {
    "blocks": [
        _gated("epa", "rep"), _gated("pa", "rep_wide"), _gated("pointwise", "asymmetric"),
        _gated({"kind": "esa_lite", "width": 3}, "depthwise"),
        {"kind": "fused_mbconv", "stages": 2, "expanded": [5, 7]},
    ],
    "stem": "pyramid", "activation": "gelu", "image_skip": "nearest", "fusion": "none", "scale": 2,
}  # fmt: skip
_SLICED: dict[str, Any] = {
    "blocks": [
        {"kind": "enhancement", "distilled": 2, "groups": 2},
        {"kind": "distilling_group", "units": 2, "distilled": 2},
    ],
    "activation": "tanh", "image_skip": "bilinear", "scale": 4,
}  # fmt: skip

EVERY_PART: Mapping[str, dict[str, Any]] = {**FIELDS, "convolved": _CONVOLVED, "sliced": _SLICED}
"""Of those that the tests of graphs export there are no more exports."""

_TABLES = (ATTENTIONS, BLOCKS, CONVS, FUSIONS, SKIPS, STEMS, UPSAMPLERS, ACTIVATIONS)


def untried(architectures: list[Architecture]) -> set[tuple[str, str]]:
    """The parts, as (sort, kind), that none of the architectures has."""
    named = {kind for one in architectures for kind in _kinds(one.to_dict())}
    # What is left out there stands for the usual ones.
    for one in architectures:
        parts = (one.stem, one.fusion, one.upsampler, one.activation, one.image_skip)
        named.update(part.kind for part in parts)
    return {(table.sort, kind) for table in _TABLES for kind in table if kind not in named}


def _kinds(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {kind for one in value.values() for kind in _kinds(one)}
    if isinstance(value, (list, tuple)):
        return {kind for one in value for kind in _kinds(one)}
    return {value} if isinstance(value, str) else set()
