"""Feature maps of two networks side by side: where they are taken, and how far apart they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.network import Network

__all__ = ["COMPARISONS", "NEEDS_WIDTH", "block_outputs", "compared", "matched_depths"]

_WINDOW_PX = 12
_TINY = 1e-6


def compared(network: Network) -> Sequence[nn.Module]:
    """The modules whose outputs are compared: the blocks, or the stem where there are none."""
    return list(network.blocks) or [network.stem]


@contextmanager
def block_outputs(network: Network, blocks: Sequence[int]) -> Iterator[list[Tensor]]:
    """A list that the next forward pass fills with what these of `compared` give, (N, C, h, w)."""
    found: list[Tensor] = []

    def note(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        found.append(output)

    places = compared(network)
    hooks = [places[k].register_forward_hook(note) for k in blocks]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def matched_depths(student: int, teacher: int) -> list[tuple[int, int]]:
    """Pairs of block numbers (from 0) at the same relative depth, as many as the fewer blocks.

    Args:
        student: blocks of the student, at least 1.
        teacher: blocks of the teacher, at least 1.
    """
    pairs = min(student, teacher)
    return [
        (round(k * student / pairs) - 1, round(k * teacher / pairs) - 1)
        for k in range(1, pairs + 1)
    ]


def _affinity(one: Tensor, other: Tensor) -> Tensor:
    """Mean difference of the cosines between all pairs of pixels, within windows of 12x12 px.

    Spatial affinity: He et al., "FAKD: Feature-Affinity Based Knowledge Distillation for
    Efficient Image Super-Resolution", ICIP 2020, equations 4 to 6. Widths may differ.
    """
    return F.l1_loss(_cosines(_windows(one)), _cosines(_windows(other)))


def _cosines(maps: Tensor) -> Tensor:
    pixels = F.normalize(maps.flatten(2), dim=1, eps=_TINY)
    return pixels.transpose(1, 2) @ pixels


def _windows(maps: Tensor) -> Tensor:
    """(N, C, h, w) as (N * windows, C, at most 12, at most 12); what is left over is dropped."""
    height, width = (min(_WINDOW_PX, side) for side in maps.shape[-2:])
    cut = maps.unfold(2, height, height).unfold(3, width, width)
    return cut.permute(0, 2, 3, 1, 4, 5).reshape(-1, maps.shape[1], height, width)


def _gram(one: Tensor, other: Tensor) -> Tensor:
    """Mean difference of the correlations between channels, relative to their mean size.

    Gram matrices: Gatys et al., "Image Style Transfer Using Convolutional Neural Networks",
    CVPR 2016, here each divided by its norm.
    """

    def grams(maps: Tensor) -> Tensor:
        flat = maps.flatten(2)
        return _unit_mean(flat @ flat.transpose(1, 2))

    return F.l1_loss(grams(one), grams(other))


def _normalized_l1(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of the maps, each image's divided by its root mean square."""
    return F.l1_loss(_unit_mean(one), _unit_mean(other))


def _unit_mean(values: Tensor) -> Tensor:
    """Each item of the batch at a root mean square of 1."""
    squares = values.square().mean(dim=tuple(range(1, values.dim())), keepdim=True)
    return values * (squares + _TINY).rsqrt()


COMPARISONS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"affinity": _affinity, "gram": _gram, "l1": _normalized_l1}
)
"""How far two stacks of feature maps (N, C, h, w) are apart, as a scalar from 0 up, by name."""

NEEDS_WIDTH = frozenset({"gram", "l1"})
"""Comparisons of maps of one width: where the student's differs, an adapter comes before it."""
