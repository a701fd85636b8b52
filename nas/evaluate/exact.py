"""Convolutions in true float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["exact_convolutions"]


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Inside, float32 convolutions are true float32, also on CUDA.

    torch's own default there is TF32, which rounds every factor to 10 bits.
    """
    settings = [(conv, str(conv.fp32_precision)) for conv in _backends()]
    try:
        for conv, _ in settings:
            conv.fp32_precision = "ieee"
        yield
    finally:
        for conv, before in settings:
            conv.fp32_precision = before


def _backends() -> list[Any]:
    # torch has these switches since 2.9; before, the CPU is exact anyway.
    found = [getattr(getattr(torch.backends, n, None), "conv", None) for n in ("mkldnn", "cudnn")]
    return [conv for conv in found if hasattr(conv, "fp32_precision")]
