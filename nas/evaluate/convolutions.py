"""How exactly convolutions in float32 are computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["convolutions"]


@contextmanager
def convolutions(*, fast: bool) -> Iterator[None]:
    """Inside, float32 convolutions are exact, or as fast as the hardware has them.

    ``fast`` rounds the factors of every product to bfloat16 (CPU) or TF32 (CUDA), while
    sums and everything between convolutions stay float32: a few thousandths of a dB. Without
    it they are true float32, also on CUDA, where torch's own default is TF32. Older versions
    of torch than 2.9 have no such switch for the CPU and stay exact there.
    """
    wanted = {"mkldnn": "bf16" if fast else "ieee", "cudnn": "tf32" if fast else "ieee"}
    backends = {name: _setting(name) for name in wanted}
    before = {
        name: setting.fp32_precision for name, setting in backends.items() if setting is not None
    }
    try:
        for name in before:
            backends[name].fp32_precision = wanted[name]
        yield
    finally:
        for name, value in before.items():
            backends[name].fp32_precision = value


def _setting(backend: str) -> Any:
    found = getattr(getattr(torch.backends, backend, None), "conv", None)
    return found if hasattr(found, "fp32_precision") else None
