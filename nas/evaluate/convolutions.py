"""How exactly convolutions in float32 are computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from search_spaces.network import Network

__all__ = ["convolutions"]

_FAST = {"mkldnn": "bf16", "cudnn": "tf32"}


@contextmanager
def convolutions(network: Network | None = None, *, fast: bool = False) -> Iterator[None]:
    """Inside, float32 convolutions are true float32, or fast in the network's blocks.

    True float32 also on CUDA, where torch's own default is TF32. ``fast`` rounds the factors
    of the products in ``network.blocks`` to bfloat16 (CPU) or TF32 (CUDA); sums, and all that
    stands between convolutions, stay float32. Versions of torch before 2.9 have no such
    switch for the CPU and stay exact there.

    Args:
        network: whose blocks may be fast.
        fast: they are.
    """
    before = {name: setting.fp32_precision for name, setting in _settings()}
    hooks = []
    try:
        _switch(dict.fromkeys(before, "ieee"))
        if fast and network is not None:
            # Stem and upsampler stay exact: rounding there goes straight into the pixels
            # (0.04 dB on Set5 for IMDN x2, against 0.002 dB in the blocks).
            for block in network.blocks:
                hooks.append(block.register_forward_pre_hook(_to_fast))
                hooks.append(block.register_forward_hook(_to_exact, always_call=True))
        yield
    finally:
        for hook in hooks:
            hook.remove()
        _switch(before)


def _to_fast(module: nn.Module, inputs: Any) -> None:
    _switch(_FAST)


def _to_exact(module: nn.Module, inputs: Any, output: Any) -> None:
    _switch(dict.fromkeys(_FAST, "ieee"))


def _switch(values: dict[str, str]) -> None:
    for name, setting in _settings():
        setting.fp32_precision = values[name]


def _settings() -> list[tuple[str, Any]]:
    found = [(n, getattr(getattr(torch.backends, n, None), "conv", None)) for n in _FAST]
    return [(name, conv) for name, conv in found if hasattr(conv, "fp32_precision")]
