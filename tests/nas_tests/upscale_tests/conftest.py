from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from search_spaces import Architecture, Network, build

BLOCK = {"kind": "distillation", "stages": 3, "distillation": "fdc", "distilled": 4,
         "shallow_residual": True}  # fmt: skip


def make(attention: dict[str, Any] | None = None, **fields: Any) -> Network:
    """A network of a few thousand weights whose output is far from bicubic's."""
    block = BLOCK if attention is None else {**BLOCK, "attention": attention}
    torch.manual_seed(1)
    arch = {"scale": 2, "channels": 8, "blocks": [{"repeat": 2, **block}], **fields}
    return build(Architecture.from_dict(arch)).eval()


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None: ...


@pytest.fixture
def photo() -> Callable[..., npt.NDArray[np.uint8]]:
    def photo_of(height: int, width: int, channels: int = 3) -> npt.NDArray[np.uint8]:
        rng = np.random.default_rng(5)
        coarse = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, channels))
        smooth = np.kron(coarse, np.ones((4, 4, 1)))[:height, :width]
        return np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)

    return photo_of
