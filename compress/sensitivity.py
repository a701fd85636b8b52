"""How much a network loses when one width alone is halved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from compress.finetune import leave_gradients, psnr_of
from compress.importance import NEEDS_GRADIENTS, measure
from compress.prune import Method
from compress.surgery import cut, prunable, scores_of
from compress.widths import prunable_widths, with_widths
from nas.data import Dataset
from nas.data.aligned import centre
from nas.training.recipe import Recipe
from search_spaces.cost import price
from search_spaces.errors import NotPossible
from search_spaces.network import Network

__all__ = ["Sensitivity", "sensitivity"]

_PHOTOS = 4
_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One width halved alone: what that saves, and what it costs on validation photos."""

    name: str
    width: int
    halved: int
    params_saved: int
    macs_saved: int
    psnr_drop_db: float


def sensitivity(
    network: Network,
    dataset: Dataset,
    method: Method | None = None,
    *,
    on_width: Callable[[int, int], None] | None = None,
) -> list[Sensitivity]:
    """Every prunable width, the most sensitive first.

    Measured on the middle 256x256 px of at most four validation photos, without any
    fine-tuning. The trunk is one width, whose halving touches every layer that reads it.

    Args:
        network: it stays as it is.
        dataset: its validation photos are measured on.
        method: importance and rounding.
        on_width: called with (widths done, widths in all).

    Raises:
        NotPossible: nothing in the network can be pruned.
    """
    method = method or Method()
    middles = tuple(
        centre(photo, _SIDE_PX, dataset.scale) for photo in dataset.validation[:_PHOTOS]
    )
    small = replace(dataset, sets={"validation": middles})
    form = prunable(network)
    arch = form.architecture
    widths = prunable_widths(arch, method.multiple, method.floor)
    if not widths:
        raise NotPossible(f"no width of the network is above its floor of {method.multiple}")
    needed = method.importance in NEEDS_GRADIENTS
    gradients = partial(leave_gradients, dataset, Recipe()) if needed else None
    _, importance = scores_of(form, widths, measure(method.importance), gradients)
    whole_db, own = psnr_of(form, small), price(arch)

    def rows() -> Iterator[Sensitivity]:
        for k, width in enumerate(widths):
            halved = width.at_most(width.now // 2)
            target = with_widths(arch, {width.place: halved})
            drop_db = whole_db - psnr_of(cut(form, importance, target), small)
            cost = price(target)
            if on_width is not None:
                on_width(k + 1, len(widths))
            yield Sensitivity(
                width.name, width.now, halved, own.params - cost.params, own.macs - cost.macs,
                drop_db,
            )  # fmt: skip

    return sorted(rows(), key=lambda row: -row.psnr_drop_db)
