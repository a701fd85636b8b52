"""What is known of a network before it is trained, and what other networks let one expect.

Pure functions on frames and arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ZERO_COST", "described", "design", "predicted"]

Values = npt.NDArray[np.float64]
ZERO_COST = ("grad_norm", "snip")
"""Scores of an untrained network: see ``nas.evaluate.zero_cost``."""

_PENALTIES = np.geomspace(1e-2, 1e4, 25)
_COSTS = ("params", "macs", "activations", "channels", "blocks")


def described(architecture: Mapping[str, Any]) -> dict[str, float | str]:
    """An architecture's settings flat: numbers as numbers, everything else as words.

    Of a row of blocks, the first one and the number of all are told; parts within parts get
    names such as ``blocks.attention.kind``.
    """
    plain: dict[str, float | str] = {}
    for name, value in architecture.items():
        if name == "blocks":
            plain["blocks"] = float(sum(block.get("repeat", 1) for block in value))
            first = {key: v for key, v in value[0].items() if key != "repeat"}
            _flatten("blocks", first, plain)
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

    columns: list[Values] = []
    for name in networks.columns:
        column = networks[name]
        # Not known of every network; and a machine's latency is no trait of the network.
        if name.startswith("latency") or name in ZERO_COST:
            continue
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            values = column.to_numpy(dtype=np.float64)
            if np.isfinite(values).all():
                logged = name in _COSTS and (values > 0).all()
                columns.append(np.log(values) if logged else values)
                continue
        words = np.array([str(value) for value in column])
        columns += [(words == word).astype(np.float64) for word in np.unique(words)]
    matrix = np.array(columns).T.reshape(len(networks), len(columns))
    spread = matrix.std(axis=0)
    varies = spread > 1e-12
    scaled: Values = (matrix[:, varies] - matrix[:, varies].mean(axis=0)) / spread[varies]
    return scaled


def predicted(features: npt.ArrayLike, figures: npt.ArrayLike) -> Values:
    """What a ridge regression on all other networks says of each one.

    Leave-one-out predictions in closed form (Allen, "The relationship between variable
    selection and data augmentation and a method for prediction", 1974); the penalty is the one
    with the least error among them. The mean is that of all networks: without the own
    figure in it, features that say nothing would rank networks backwards.

    Args:
        features: (n, f) from :func:`design`.
        figures: (n,) dB; NaN for networks to predict only.

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
    best: tuple[float, Values] = (np.inf, np.full(len(y), mean))
    left, singular, right = np.linalg.svd(x[known], full_matrices=False)
    rest = y[known] - mean
    for penalty in _PENALTIES:
        shrink = singular**2 / (singular**2 + penalty)
        fitted = left @ (shrink * (left.T @ rest))
        leverage = ((left**2) * shrink).sum(axis=1)
        out = rest - (rest - fitted) / (1.0 - leverage)
        error = float(((rest - out) ** 2).mean())
        if error < best[0]:
            weights = right.T @ (singular / (singular**2 + penalty) * (left.T @ rest))
            values = mean + x @ weights
            values[known] = mean + out
            best = (error, values)
    return best[1]


def _flatten(name: str, value: Any, plain: dict[str, float | str]) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _flatten(f"{name}.{key}", inner, plain)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        plain[name] = float(value)
    else:
        plain[name] = str(value)
