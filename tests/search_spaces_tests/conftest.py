"""Counting and sampling that several tests of the search spaces share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from search_spaces import Price, Space, build, preset
from tests.search_spaces_tests.their_weights import State, theirs


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    # The networks here are so small that waking a second thread costs more than it gives.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class _Counted(TorchDispatchMode):
    """Counts as torch counts while it is active, and the output elements of convolutions.

    `torch.utils.flop_counter.FlopCounterMode` does the same by the formulas of this table, but for
    every module by itself.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        operation = func.overloadpacket
        if operation in flop_registry:
            self.flops += flop_registry[operation](*args, **kwargs, out_val=out)
        if operation is torch.ops.aten.convolution:
            self.elements += out.numel()
        return out


def run_counted(module: nn.Module, *inputs: Any) -> tuple[Any, Price]:
    """What the module gives, and what torch counts meanwhile: independent of ``layers()``."""
    with torch.no_grad(), _Counted() as counted:
        output = module(*inputs)
    params = sum(p.numel() for p in module.parameters() if p.requires_grad)
    assert counted.flops % 2 == 0
    return output, Price(params, counted.flops // 2, counted.elements)


def count_built(module: nn.Module, *inputs: Any) -> Price:
    """The same without the output."""
    return run_counted(module, *inputs)[1]


def sample_point(space: Space, rng: random.Random, **limits: int) -> dict[str, Any]:
    """A random point; ``limits`` are the largest values of filling dimensions."""
    labels = space.choose(lambda d: rng.choice(d.labels))
    for d in space.filling:
        labels[d.name] = rng.choice([v for v in d.grid if v <= limits.get(d.name, v)])
    return labels


@pytest.fixture(scope="session")
def count() -> Callable[..., Price]:
    return count_built


@pytest.fixture(scope="session")
def random_point() -> Callable[..., dict[str, Any]]:
    return sample_point


@pytest.fixture(scope="session")
def distillation() -> Space:
    return Space.load("distillation")


@pytest.fixture(scope="session")
def tiny() -> Space:
    return Space.load("tiny")


@pytest.fixture
def imdn() -> State:
    """IMDN's weights at x2 by its authors' names."""
    torch.manual_seed(0)
    return theirs(build(preset("imdn", 2)), "imdn")
