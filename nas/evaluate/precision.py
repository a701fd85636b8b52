"""Which device and number format the hardware at hand is fastest with."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from search_spaces.errors import InputError

__all__ = ["arithmetic", "best_device", "resolve_precision"]


def best_device(name: str | None = None) -> torch.device:
    """The device called ``name``, else the first GPU, else the CPU.

    Raises:
        InputError: no such device here.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()  # "meta" holds no values
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device must be one that torch sees here, got {name!r}") from error
    return device


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of convolutions in training: float32 or bfloat16.

    ``"auto"`` takes bfloat16 only where the processor multiplies it natively: emulated,
    it is slower than float32.
    """
    if precision == "auto":
        return torch.bfloat16 if _multiplies_bf16(device) else torch.float32
    return {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


def arithmetic(device_type: str, dtype: str) -> AbstractContextManager[Any]:
    """The context in which a network computes in ``dtype``: autocast, but for float32."""
    chosen = torch.float16 if dtype == "float16" else torch.bfloat16
    return torch.autocast(device_type, chosen, enabled=dtype != "float32")


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    # Not public yet in every torch that we support, so a missing probe means "no".
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)
