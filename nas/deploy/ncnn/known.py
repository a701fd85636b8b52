"""The layers of ncnn that a file may have: their inputs, weights and channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["KNOWN", "Given", "Known"]

Given = Mapping[int, int | float]
"""Params that are single numbers."""

Channels = int | None
"""Of a value; None where that is not followed."""


def _same(params: Given, inputs: Sequence[Channels]) -> Channels:
    return inputs[0]


def _none(params: Given) -> tuple[tuple[int, bool], ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a kind of layer.

    Attributes:
        inputs: how many it may have, least and most.
        weights: how many numbers it reads, array by array, and whether each says its format.
        channels: of what it makes.
        takes: the channels that its input has to have, by its weights; None: any.
        several: whether it makes more than one value.
        positive: params that it divides by, or that there would be nothing without.
    """

    inputs: tuple[int, int] = (1, 1)
    weights: Callable[[Given], tuple[tuple[int, bool], ...]] = _none
    channels: Callable[[Given, Sequence[Channels]], Channels] = _same
    takes: Callable[[Given], int | None] = lambda params: None
    several: bool = False
    positive: tuple[int, ...] = ()


def _whole(params: Given, number: int, default: int = 0) -> int:
    return int(params.get(number, default))


def _kernel(params: Given) -> tuple[tuple[int, bool], ...]:
    kernel = ((_whole(params, 6), True),)
    return (*kernel, (_whole(params, 0), False)) if _whole(params, 5) else kernel


def _kernel_takes(params: Given) -> int | None:
    """The inputs that so many weights are for; -1 where they are for no whole number."""
    width, outputs, groups = _whole(params, 1), _whole(params, 0), _whole(params, 7, 1)
    each = width * _whole(params, 11, width) * outputs
    weights = _whole(params, 6) * groups
    if each < 1 or weights % each or outputs % groups or weights // each % groups:
        return -1
    return weights // each


def _made(params: Given, inputs: Sequence[Channels]) -> Channels:
    return _whole(params, 0)


def _broadcast(params: Given, inputs: Sequence[Channels]) -> Channels:
    known = [one for one in inputs if one is not None]
    return max(known) if len(known) == len(inputs) else None


def _joined(params: Given, inputs: Sequence[Channels]) -> Channels:
    known = [one for one in inputs if one is not None]
    if _whole(params, 0):
        return inputs[0]
    return sum(known) if len(known) == len(inputs) else None


def _unknown(params: Given, inputs: Sequence[Channels]) -> Channels:
    return None


def _shuffled(params: Given, inputs: Sequence[Channels]) -> Channels:
    return None if inputs[0] is None else inputs[0] // max(1, _whole(params, 0, 1)) ** 2


def _stored(params: Given) -> tuple[tuple[int, bool], ...]:
    count = 1
    for number in (0, 1, 2):
        count *= max(1, _whole(params, number))
    return ((count, False),)


_CONVOLUTION = Known(
    weights=_kernel, channels=_made, takes=_kernel_takes, positive=(0, 1, 11, 2, 12, 3, 13, 7)
)
_MAP = Known()

KNOWN: Mapping[str, Known] = {
    "Input": Known((0, 0), channels=lambda params, inputs: _whole(params, 2) or None),
    "MemoryData": Known(
        (0, 0), _stored, channels=lambda params, inputs: max(1, _whole(params, 2))
    ),
    "Split": Known(several=True),
    "Slice": Known(channels=_unknown, several=True),
    **dict.fromkeys(("Convolution", "ConvolutionDepthWise", "Deconvolution"), _CONVOLUTION),
    "PReLU": Known(
        weights=lambda params: ((_whole(params, 0), False),),
        takes=lambda params: None if _whole(params, 0) == 1 else _whole(params, 0),
    ),
    "BinaryOp": Known((1, 2), channels=_broadcast),
    "Eltwise": Known((2, 8), channels=_broadcast),
    "Concat": Known((1, 1024), channels=_joined),
    "Crop": Known((1, 2), channels=_unknown),
    "Interp": Known((1, 2)),
    "PixelShuffle": Known(channels=_shuffled, positive=(0,)),
    "Pooling": Known(positive=(2, 12)),
    **dict.fromkeys(
        ("ReLU", "Sigmoid", "TanH", "Swish", "GELU", "Erf", "Softplus", "Mish", "Clip", "ELU",
         "HardSigmoid", "HardSwish", "UnaryOp", "Reduction", "Padding", "Dropout",
         "Noop"), _MAP,
    ),
}  # fmt: skip
"""By ncnn's name. A layer that isn't here might read weights of which nobody knows how many."""
