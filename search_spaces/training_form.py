"""Published training forms of a convolution in a file, collapsed into the convolution."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["collapsed"]

_SHORTCUT = ".sk.weight"


def collapsed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a file with every Conv3XC as the one 3x3 convolution that it is.

    Conv3XC (SPAN, Wan et al., CVPRW 2024) trains a 1x1, a 3x3 and a 1x1 in a row (``conv.0`` to
    ``conv.2``) with a 1x1 (``sk``) beside them; the image is padded before the first, so that
    biases fold exactly. Its ``eval_conv`` is the collapsed one, which files of trainings hold as it
    was at the last validation: the branches count where both are there.
    """
    found = dict(tensors)
    for key in tensors:
        place = key.removesuffix(_SHORTCUT)
        if place != key and (one := _collapsed(place, tensors)):
            for branch in ("sk", "conv.0", "conv.1", "conv.2", "eval_conv"):
                for leaf in ("weight", "bias"):
                    found.pop(f"{place}.{branch}.{leaf}", None)
            found |= one
    return found


def _collapsed(place: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Nothing where the branches are not those of a Conv3XC."""
    branches = [f"{place}.{name}" for name in ("sk", "conv.0", "conv.1", "conv.2")]
    weights = [tensors.get(f"{branch}.weight") for branch in branches]
    if any(weight is None or weight.ndim != 4 for weight in weights):
        return {}
    side, first, square, last = (weight.double() for weight in weights if weight is not None)
    c_out, c_in = side.shape[:2]
    wide_out, wide_in = square.shape[:2]
    # All sizes are those of stored tensors: the result is nine times as large as the shortcut.
    fits = (
        side.shape[2:] == (1, 1)
        and first.shape == (wide_in, c_in, 1, 1)
        and square.shape[2:] == (3, 3)
        and last.shape == (c_out, wide_out, 1, 1)
    )
    biases = [
        _bias(tensors.get(f"{branch}.bias"), weight)
        for branch, weight in zip(branches, (side, first, square, last), strict=True)
    ]
    if not fits or any(bias is None for bias in biases):
        return {}
    inner = torch.einsum("uvhw,vi->uihw", square, first[:, :, 0, 0])
    weight = torch.einsum("ou,uihw->oihw", last[:, :, 0, 0], inner) + F.pad(side, (1, 1, 1, 1))
    made = {f"{place}.eval_conv.weight": weight.float()}
    if any(f"{branch}.bias" in tensors for branch in branches):
        beside, before, between, after = (bias for bias in biases if bias is not None)
        between = square.sum((2, 3)) @ before + between
        made[f"{place}.eval_conv.bias"] = (last[:, :, 0, 0] @ between + after + beside).float()
    return made


def _bias(stored: Tensor | None, weight: Tensor) -> Tensor | None:
    """A layer's bias, zeros where it has none; None where it is another layer's."""
    if stored is None:
        return weight.new_zeros(weight.shape[0])
    return stored.double() if stored.shape == weight.shape[:1] else None
