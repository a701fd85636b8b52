"""What a network does, operator by operator, found out without computing anything."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nas.evaluate.precision import arithmetic
from search_spaces import Architecture
from search_spaces.network import Network
from search_spaces.part import Part

__all__ = ["Operation", "computes", "operation_of", "operations"]


class Operation(NamedTuple):
    """One operator call of a forward pass with one image.

    Attributes:
        kind: the operator, for convolutions with kernel, stride and grouping:
            ``"cat"``, ``"convolution 3x3"``, ``"convolution 3x3 stride 2"``.
        channels_in: of a convolution its input's, else of all inputs together.
        channels_out: of the output.
        pixels: height times width of the output.
        read: elements of all inputs, weights not counted.
        written: elements of the output.
        macs: multiply-adds of a convolution, else 0.
    """

    kind: str
    channels_in: int
    channels_out: int
    pixels: int
    read: int
    written: int
    macs: int


@lru_cache(maxsize=4096)
def operations(
    architecture: Architecture, lr_size: tuple[int, int], dtype: str = "float32"
) -> tuple[Operation, ...]:
    """Every operator of a forward pass that computes or moves data, in order.

    Args:
        architecture: any; parts that a user added are followed like ours.
        lr_size: (height, width) of the input.
        dtype: ``"float32"``, or the type of autocast, whose conversions are operators too.
    """
    # Autocast knows no meta device; fake tensors, which take twice as long, have one they obey.
    plain = dtype == "float32"
    found = _Recorder()
    with torch.device("meta") if plain else FakeTensorMode(), torch.no_grad():
        # Without the first weights that `build` draws, which nothing here looks at.
        network = Network(architecture).eval()
        if plain:
            _follow_equal_blocks_once(network, found)
        image = torch.empty(1, architecture.colors, *lr_size)
        with arithmetic("cpu", dtype), found:
            network(image)
    return tuple(found.operations)


def _follow_equal_blocks_once(network: Network, recorder: _Recorder) -> None:
    """Of equal blocks, the later ones repeat what the first one did: most networks repeat one."""
    firsts: dict[Part, _First] = {}
    for k, (part, block) in enumerate(
        zip(network.architecture.blocks, list(network.blocks), strict=True)
    ):
        if part in firsts:
            network.blocks[k] = _Again(firsts[part], recorder)
        else:
            network.blocks[k] = firsts[part] = _First(block, recorder)


class _First(nn.Module):
    """A block that keeps what it did."""

    def __init__(self, block: nn.Module, recorder: _Recorder) -> None:
        super().__init__()
        self.block, self.recorder = block, recorder
        self.did: list[Operation] = []

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        before = len(self.recorder.operations)
        y: Tensor = self.block(x)
        self.did = self.recorder.operations[before:]
        return y


class _Again(nn.Module):
    """A block that says what an equal one did, and does nothing."""

    def __init__(self, first: _First, recorder: _Recorder) -> None:
        super().__init__()
        # Not as a part of this one: it is in the network already.
        self._held = (first, recorder)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        first, recorder = self._held
        recorder.operations += first.did
        # Everything that comes of it reads shapes alone.
        return x


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[Operation] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if computes(func):
            self.operations.append(operation_of(func, args, kwargs or {}, out))
        return out


def computes(func: Any) -> bool:
    """Whether an operator does work; one that makes a view doesn't."""
    return not func.is_view and func.namespace == "aten"


def operation_of(func: Any, args: Any, kwargs: dict[str, Any], out: Any) -> Operation:
    """The record of one operator call."""
    name = func.overloadpacket.__name__
    inputs = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    made = next((leaf for leaf in tree_leaves(out) if isinstance(leaf, Tensor)), None)
    shape = tuple(made.shape) if made is not None else ()
    channels_out, pixels = (shape[1], math.prod(shape[2:])) if len(shape) > 1 else (1, 1)
    written = math.prod(shape)
    if name == "convolution":
        return _convolution(args, channels_out, pixels, written)
    read = sum(tensor.numel() for tensor in inputs)
    channels_in = sum(tensor.shape[1] for tensor in inputs if tensor.ndim > 1)
    return Operation(name, channels_in, channels_out, pixels, read, written, 0)


def _convolution(args: Any, channels_out: int, pixels: int, written: int) -> Operation:
    image, weight, _, stride, _, _, transposed, _, groups = args
    kind = f"convolution {weight.shape[2]}x{weight.shape[3]}"
    if transposed:
        kind = f"transposed {kind}"
    if max(stride) > 1:
        kind += f" stride {max(stride)}"
    if groups > 1:
        kind += " depthwise" if groups == image.shape[1] else f" groups {groups}"
    meeting = image[0, 0].numel() if transposed else pixels
    macs = weight.numel() * meeting
    return Operation(kind, image.shape[1], channels_out, pixels, image.numel(), written, macs)
