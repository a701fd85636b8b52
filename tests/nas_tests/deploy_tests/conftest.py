"""Small networks for the tests of all formats."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from search_spaces import Architecture, Network, build


@pytest.fixture(autouse=True)
def _alone(one_thread: None, exports_once: None) -> None:
    """One thread, and a measuring lock that nobody else holds."""


def make(**fields: Any) -> Network:
    """A network with ESA, but for other fields; the same every time."""
    block = {"kind": "distillation", "stages": 2, "distillation": "fdc", "distilled": 3,
             "attention": {"kind": "esa", "width": 4}}  # fmt: skip
    torch.manual_seed(0)
    arch = {"scale": 3, "channels": 6, "blocks": [block], "value_range": 255, **fields}
    return build(Architecture.from_dict(arch)).eval()


def lively(**fields: Any) -> Network:
    """The same with an output that all of it shows in."""
    made = make(**fields)
    with torch.no_grad():
        for weights in (*made.upsampler.parameters(), *made.image_skip.parameters()):
            # With an image skip the last layer is 0 at first, and the skip nearly symmetric.
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return made


def compact(**fields: Any) -> Network:
    """A small Compact (SRVGGNetCompact) whose output all of it shows in."""
    arch = {"scale": 3, "channels": 7, "activation": "prelu", "fusion": "none",
            "stem": {"kind": "conv", "activated": True}, "image_skip": "anchor",
            "blocks": [{"repeat": 2, "kind": "plain"}], **fields}  # fmt: skip
    return shaken(Architecture.from_dict(arch))


def shaken(arch: Architecture) -> Network:
    """A network with weights, biases and slopes of which none is 0; the same every time."""
    torch.manual_seed(0)
    made = build(arch).eval()
    with torch.no_grad():
        for weights in made.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.1)
    return made
