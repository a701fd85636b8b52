"""Tensors of every sort but the one expected."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["other_tensor"]


def other_tensor(rng: random.Random, tensor: Any) -> tuple[Any, str]:
    """A tensor of another kind in place of one, and which."""
    import torch

    shape = tuple(tensor.shape)
    values: dict[str, Callable[[], Any]] = {
        **{
            str(kind): (lambda kind=kind: tensor.detach().to(kind))  # type: ignore[misc]
            for kind in (
                torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int8, torch.uint8,
                torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2,
            )
        },
        "NaN": lambda: torch.full(shape, float("nan")),
        "infinite": lambda: torch.full(shape, float("inf")),
        "huge": lambda: torch.full(shape, 3e38),
        "tiny": lambda: torch.full(shape, 1e-45),
        "of no element": lambda: torch.zeros(0),
        "of no dimension": lambda: torch.tensor(1.0),
        "turned": lambda: tensor.detach().transpose(0, -1) if tensor.dim() > 1 else tensor,
        "flat": lambda: tensor.detach().reshape(-1),
        "one more dimension": lambda: tensor.detach()[None],
        "expanded from one value": lambda: torch.zeros(1).expand(2**33),
        "expanded to its shape": lambda: torch.zeros(()).expand(shape or (1,)),
        "sparse": lambda: tensor.detach().float().to_sparse(),
        "compressed sparse": lambda: _quiet(lambda: torch.eye(4).to_sparse_csr()),
        "on the meta device": lambda: torch.empty(shape, device="meta"),
        "huge on the meta device": lambda: torch.empty(2**50, device="meta"),
        "quantised": lambda: _quiet(
            lambda: torch.quantize_per_tensor(tensor.detach().float(), 0.1, 0, torch.qint8)
        ),
        "a parameter": lambda: torch.nn.Parameter(tensor.detach().float()),
        "with a gradient": lambda: tensor.detach().float().requires_grad_(),
        "a view of a large one": lambda: torch.zeros(300_000)[:1].expand(shape or (1,)),
        "nested": lambda: _quiet(lambda: torch.nested.nested_tensor([tensor, tensor])),
        "a list": lambda: [1.0, 2.0],
        "a number": lambda: 1.0,
        "nothing": lambda: None,
        "a text": lambda: "tensor",
    }  # fmt: skip
    which = rng.choice(tuple(values))
    return values[which](), which


def _quiet(make: Callable[[], Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()
