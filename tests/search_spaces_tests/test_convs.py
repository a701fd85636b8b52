"""Re-parameterised convolutions against their branches, one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces import Architecture, build
from search_spaces.convs import CONVS, CollapsedConv
from search_spaces.convs.asymmetric import AsymmetricConv
from search_spaces.convs.rep import RepConv
from search_spaces.convs.rep_wide import WideRepConv

FORMS = [
    {"kind": "rep"},
    {"kind": "rep", "bias": False},
    {"kind": "asymmetric"},
    {"kind": "rep_wide"},
    {"kind": "rep_wide", "gain": 3},
    {"kind": "rep_wide", "bias": False},
]


def expanded(module: Any, x: Tensor) -> Any:
    """Every branch convolves; the outputs are summed."""
    if isinstance(module, RepConv):
        y = module.square(x) + module.point(x)
        return y + x if module.identity else y
    if isinstance(module, AsymmetricConv):
        return module.square(x) + module.row(x) + module.column(x)
    assert isinstance(module, WideRepConv)
    return module.reduce(module.square(module.expand(x))) + module.point(x)


@pytest.mark.parametrize("widths", [(6, 6), (6, 4)])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_one_kernel_does_what_the_branches_do(
    form: dict[str, Any], widths: tuple[int, int]
) -> None:
    module = CONVS.make(CONVS.parse(form), *widths)
    x = torch.randn(2, widths[0], 7, 9)
    gradients = []
    for whole in (True, False):
        module.zero_grad()
        y = module(x) if whole else expanded(module, x)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).mean().backward()
        gradients.append([y.detach(), *(p.grad for p in module.parameters())])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_fresh_ones_keep_the_variance_of_their_input(form: dict[str, Any]) -> None:
    stem = {"kind": "chain", "convolution": form}
    plain = {"scale": 2, "channels": 64, "stem": stem, "blocks": ["spab"]}
    network = build(Architecture.from_dict(plain))
    (_, module) = (one for one in network.stem.modules() if isinstance(one, CollapsedConv))
    with torch.no_grad():
        weight, _ = module.kernel()
        if getattr(module, "identity", False):
            # What is passed on as it is comes on top.
            weight = weight - torch.eye(64)[:, :, None, None] * F.pad(torch.ones(1, 1), (1,) * 4)
    assert float(weight.square().sum() / 64) == pytest.approx(1, rel=0.15)
