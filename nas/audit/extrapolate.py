"""What a training will reach, told from its rungs: curves drawn on, and figures shrunk.

Pure functions on arrays of PSNR-Y in dB: a row a network, a column a rung.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from search_spaces.errors import InputError

__all__ = ["log_linear", "power_exponent", "power_law", "shrunk"]

Values = npt.NDArray[np.float64]
_EXPONENTS = np.geomspace(0.02, 2.0, 200)


def log_linear(values: npt.ArrayLike, steps: npt.ArrayLike, target: int) -> Values:
    """PSNR at ``target`` steps, the line through the last two rungs over log(steps) drawn on.

    Args:
        values: (n, r) dB, r >= 2.
        steps: (r,) steps of the rungs, rising.
        target: steps to draw on to.

    Returns:
        (n,) dB. The noise of both rungs is drawn on as well.
    """
    curves, at = _checked(values, steps, 2)
    gain = np.log(target / at[-1]) / np.log(at[-1] / at[-2])
    drawn: Values = curves[:, -1] + gain * (curves[:, -1] - curves[:, -2])
    return drawn


def power_exponent(values: npt.ArrayLike, steps: npt.ArrayLike) -> float:
    """The c for which PSNR = a - b * steps^-c fits all networks' rungs best, c being common.

    Learning curves are near power laws (Domhan et al., "Speeding up automatic hyperparameter
    optimization of deep neural networks by extrapolation of learning curves", 2015); three
    parameters a network are too many for three noisy rungs.

    Args:
        values: (n, r) dB, r >= 3.
        steps: (r,) steps of the rungs, rising.
    """
    curves, at = _checked(values, steps, 3)
    whole = curves[np.isfinite(curves).all(axis=1)]
    return float(min(_EXPONENTS, key=lambda c: float(_misfit(whole, at, c))))


def power_law(values: npt.ArrayLike, steps: npt.ArrayLike, target: int) -> Values:
    """PSNR at ``target`` steps by a power law through each network's last three rungs.

    The exponent is common to all networks; a and b are each network's own, by least squares.

    Args:
        values: (n, r) dB, r >= 3.
        steps: (r,) steps of the rungs, rising.
        target: steps to draw on to.

    Returns:
        (n,) dB.
    """
    curves, at = _checked(values, steps, 3)
    curves, at = curves[:, -3:], at[-3:]
    exponent = power_exponent(curves, at)
    x = at**-exponent
    slope = (curves - curves.mean(axis=1, keepdims=True)) @ (x - x.mean())
    slope /= ((x - x.mean()) ** 2).sum()
    drawn: Values = curves.mean(axis=1) + slope * (target**-exponent - x.mean())
    return drawn


def shrunk(values: npt.ArrayLike, expected: npt.ArrayLike, noise_db: float) -> Values:
    """Each figure drawn towards what networks of its kind reach, as far as it is noise.

    The empirical Bayes estimate of Efron and Morris ("Data analysis using Stein's estimator",
    1975): of the spread around the expected figures, the part that seeds explain is taken away.

    Args:
        values: (n,) dB of one rung.
        expected: (n,) dB, such as :func:`nas.predictor.predicted` gives.
        noise_db: standard deviation between seeds at that rung.

    Returns:
        (n,) dB.
    """
    measured, kind = np.asarray(values, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    rest = measured - kind
    spread = float(np.nanvar(rest)) if np.isfinite(rest).any() else 0.0
    kept = max(0.0, 1.0 - noise_db**2 / spread) if spread > 0 else 0.0
    return kind + kept * rest


def _checked(values: npt.ArrayLike, steps: npt.ArrayLike, least: int) -> tuple[Values, Values]:
    curves = np.asarray(values, dtype=np.float64)
    at = np.asarray(steps, dtype=np.float64)
    if curves.ndim != 2 or curves.shape[1] != len(at) or len(at) < least:
        raise InputError(
            f"curves need figures of shape (n, r) and r >= {least} steps: got {curves.shape} "
            f"and {len(at)}"
        )
    if at[0] <= 0 or (np.diff(at) <= 0).any():
        raise InputError(f"curves need rising steps above 0: got {at.tolist()}")
    return curves, at


def _misfit(curves: Values, steps: Values, exponent: float) -> float:
    x = steps**-exponent
    x = (x - x.mean()) / np.linalg.norm(x - x.mean())
    centred = curves - curves.mean(axis=1, keepdims=True)
    rest = centred - np.outer(centred @ x, x)
    return float((rest**2).sum())
