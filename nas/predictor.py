"""What is known of a network before it is trained, and what other networks let one expect.

Pure functions on frames and arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ZERO_COST", "described", "design", "design_of", "predicted"]

Values = npt.NDArray[np.float64]
ZERO_COST = ("grad_norm", "snip")
"""Scores of an untrained network: see ``nas.evaluate.zero_cost``."""

_PENALTIES = np.geomspace(1e-2, 1e4, 25)
_COSTS = ("params", "macs", "activations", "channels", "blocks")


def described(architecture: Mapping[str, Any]) -> dict[str, float | str]:
    """An architecture's settings flat: numbers as numbers, everything else as words.

    Of a row of blocks, the first one, if there is one, and the number of all are told; parts
    within parts get names such as ``blocks.attention.kind``.
    """
    plain: dict[str, float | str] = {}
    for name, value in architecture.items():
        if name == "blocks":
            # A block without options of its own stands there by its bare name.
            row = [block if isinstance(block, Mapping) else {"kind": block} for block in value]
            plain["blocks"] = float(sum(block.get("repeat", 1) for block in row))
            for first in row[:1]:
                told = {key: v for key, v in first.items() if key != "repeat"}
                _flatten("blocks", told, plain)
        elif name not in ("schema_version", "scale"):
            _flatten(name, value, plain)
    return plain


def design(networks: pd.DataFrame) -> Values:
    """(n, features) of networks: what varies among them, each column of mean 0 and deviation 1.

    Prices, channels and blocks count by their logarithm, other numbers as they are, and words
    by a column for each.

    Args:
        networks: a row a network; numbers and words, what is missing being a word of its own.
    """
    import pandas as pd

    told: dict[str, Sequence[Any] | Values] = {}
    for name in networks.columns:
        column = networks[name]
        numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        told[name] = column.to_numpy(dtype=np.float64) if numbers else [str(v) for v in column]
    return _scaled(told, len(networks))


def design_of(networks: Sequence[Mapping[str, float | str]]) -> Values:
    """The same of networks that are told one by one, as :func:`described` tells them."""
    told: dict[str, Sequence[Any] | Values] = {}
    for name in dict.fromkeys(chain.from_iterable(networks)):
        column = [one.get(name, np.nan) for one in networks]
        words = any(isinstance(value, str) for value in column)
        told[name] = [str(value) for value in column] if words else np.array(column)
    return _scaled(told, len(networks))


def _scaled(told: Mapping[str, Sequence[str] | Values], count: int) -> Values:
    columns: list[Values] = []
    for name, column in told.items():
        # Not known of every network; and a machine's latency is no trait of the network.
        if name.startswith("latency") or name in ZERO_COST:
            continue
        if isinstance(column, np.ndarray) and np.isfinite(column).all():
            logged = name in _COSTS and (column > 0).all()
            columns.append(np.log(column) if logged else column)
            continue
        words, which = np.unique([str(value) for value in column], return_inverse=True)
        columns += [(which == k).astype(np.float64) for k in range(len(words))]
    matrix = np.array(columns).T.reshape(count, len(columns))
    spread = matrix.std(axis=0)
    varies = spread > 1e-12
    scaled: Values = (matrix[:, varies] - matrix[:, varies].mean(axis=0)) / spread[varies]
    return scaled


def predicted(
    features: npt.ArrayLike,
    figures: npt.ArrayLike,
    eigen: Callable[[Values], tuple[Values, Values]] = np.linalg.eigh,
) -> Values:
    """What a ridge regression on all other networks says of each one.

    Leave-one-out predictions in closed form (Allen, "The relationship between variable
    selection and data augmentation and a method for prediction", 1974); the penalty is the one
    with the least error among them. The mean is that of all networks: without the own
    figure in it, features that say nothing would rank networks backwards.

    Args:
        features: (n, f) from :func:`design`.
        figures: (n,) dB; NaN for networks to predict only.
        eigen: eigenvalues and vectors of a symmetric matrix, where another way is faster.

    Returns:
        (n,) dB; NaN where no figures are known.
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(figures, dtype=np.float64)
    known = np.isfinite(y)
    if not known.any():
        return np.full(len(y), np.nan)
    mean = y[known].mean()
    if not x.shape[1]:
        return np.full(len(y), mean)
    x = x - x[known].mean(axis=0)
    own, rest = x[known], y[known] - mean
    # Sums instead of "@": BLAS shares even such small products among threads, and where another
    # process has one of the cores, each takes as long as the scheduler gives that one.
    squares, axes = eigen(np.einsum("ni,nj->ij", own, own))
    turned = np.einsum("ni,ij->nj", own, axes)
    along = np.einsum("ni,n->i", turned, rest)
    shrink = 1.0 / (np.maximum(squares, 0.0)[:, None] + _PENALTIES)
    fitted = np.einsum("ni,ip->np", turned, along[:, None] * shrink)
    leverage = np.einsum("ni,ip->np", turned**2, shrink)
    out = rest[:, None] - (rest[:, None] - fitted) / (1.0 - leverage)
    best = int(np.argmin(((rest[:, None] - out) ** 2).mean(axis=0)))
    values = mean + np.einsum("ni,i->n", x, np.einsum("ij,j->i", axes, along * shrink[:, best]))
    values[known] = mean + out[:, best]
    return np.asarray(values)


def _flatten(name: str, value: Any, plain: dict[str, float | str]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _flatten(f"{name}.{key}", inner, plain)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        plain[name] = float(value)
    else:
        plain[name] = str(value)
