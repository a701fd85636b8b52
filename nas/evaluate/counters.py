"""Other people's counters, as a check on our own prices."""

from __future__ import annotations

import copy
import logging
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from search_spaces import Architecture, build

__all__ = ["Counted", "count"]


@dataclass(frozen=True, slots=True)
class Counted:
    """Parameters and multiply-adds of a network by thop and fvcore.

    ``fvcore_resizing`` is the part of ``fvcore_macs`` that bilinear (4 a value) and
    nearest (none) resizing make up; thop and our own price count convolutions alone.
    fvcore's figures are ``None`` where it was not asked.
    """

    thop_params: int
    thop_macs: int
    fvcore_params: int | None = None
    fvcore_macs: int | None = None
    fvcore_resizing: int | None = None


def count(arch: Architecture, lr: tuple[int, int], *, fvcore: bool = True) -> Counted:
    """Builds the network and counts one image.

    Args:
        arch: of the network.
        lr: height and width of the input, pixels.
        fvcore: whether to ask it as well; it runs the network, in all the memory that this takes.
    """
    network = build(arch).eval()
    thop_macs, thop_params = _thop(network, arch, lr)
    if not fvcore:
        return Counted(thop_params, thop_macs)
    fvcore_params, by_operator = _fvcore(network, arch, lr)
    resizing = sum(n for name, n in by_operator.items() if name.startswith("upsample"))
    return Counted(thop_params, thop_macs, fvcore_params, sum(by_operator.values()), resizing)


def _thop(network: nn.Module, arch: Architecture, lr: tuple[int, int]) -> tuple[int, int]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="distutils Version classes")
        from thop import profile

    # thop leaves its counts in the modules it visits; on the meta device nothing is computed.
    copied = copy.deepcopy(network).to("meta")
    image = torch.empty(1, arch.colors, *lr, device="meta")
    macs, params = profile(copied, inputs=(image,), verbose=False)
    return int(macs), int(params)


def _fvcore(
    network: nn.Module, arch: Architecture, lr: tuple[int, int]
) -> tuple[int, dict[str, int]]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".torch\.jit\.", category=DeprecationWarning)
        from fvcore.nn import FlopCountAnalysis, parameter_count

        logging.getLogger("fvcore").setLevel(logging.ERROR)
        analysis: Any = FlopCountAnalysis(network, torch.zeros(1, arch.colors, *lr))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        with torch.no_grad():
            by_operator: dict[str, int] = {k: int(v) for k, v in analysis.by_operator().items()}
        return int(parameter_count(network)[""]), by_operator
