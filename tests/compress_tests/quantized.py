"""A network that is quantised once, for all tests that look at it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from compress.quantize import Quantized
from nas.data import Photo
from search_spaces import Architecture, Network, build

__all__ = ["Made", "small", "tiny"]

BLOCK = {"kind": "distillation", "stages": 2, "distillation": "fdc", "distilled": 8, "last": 8}
ESA = {"kind": "esa", "width": 4}


class Made(NamedTuple):
    """It, the folder with its weights and the int8 file, and what quantising it came to."""

    network: Network
    file: Path
    result: Quantized


def tiny(**changes: Any) -> Network:
    block = {**BLOCK, "attention": ESA, **changes}
    arch = Architecture.from_dict(
        {"scale": 2, "channels": 16, "blocks": [block], "image_skip": "linear"}
    )
    torch.manual_seed(0)
    network = build(arch).eval()
    with torch.no_grad():
        # Zero at first: there would be nothing to round.
        for weights in network.upsampler.parameters():
            weights.normal_(std=0.02)
    return network


def small(photos: Sequence[Photo]) -> list[Photo]:
    return [Photo(p.name, np.ascontiguousarray(p.pixels[100:196, 100:180])) for p in photos]
