"""A guess at latency good enough to propose networks that fit; measurement decides.

`nas.latency` has the model that is fitted beforehand and needs no measurement.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from search_spaces import Architecture
from search_spaces.cost import layers
from search_spaces.space import Space

__all__ = ["LatencyGuess"]

_CALIBRATION = 10


class LatencyGuess:
    """Latency as a non-negative mix of multi-adds, activations, layers and a constant.

    Fitted on measured networks by relative error. Multi-adds alone rank latency badly
    (Spearman 0.43 over the entries of NTIRE 2022); activations and the number of layers
    carry the rest.
    """

    # Proposals aim this much below the budget, since a prediction errs by several percent.
    margin = 1.10

    def __init__(self) -> None:
        self._rows: list[npt.NDArray[np.float64]] = []
        self._latencies_ms: list[float] = []
        self._weights: npt.NDArray[np.float64] | None = None
        self._known_ms: dict[str, float] = {}

    def learn(self, arch: Architecture, lr: tuple[int, int], latency_ms: float) -> None:
        """Takes a measured network in."""
        self._known_ms[arch.hash] = latency_ms
        self._rows.append(_features(arch, lr))
        self._latencies_ms.append(latency_ms)
        self._weights = None

    def predict_ms(self, arch: Architecture, lr: tuple[int, int]) -> float:
        """The latency of one that was measured, or as predicted, ten percent on the safe side."""
        if arch.hash in self._known_ms:
            return self._known_ms[arch.hash]
        if self._weights is None:
            from scipy.optimize import nnls

            # Dividing by the latency makes the least squares relative.
            rows = np.array(self._rows) / np.array(self._latencies_ms)[:, None]
            self._weights = nnls(rows, np.ones(len(rows)))[0]
        return float(_features(arch, lr) @ self._weights) * self.margin

    @staticmethod
    def calibration(space: Space, scale: int) -> Iterator[Architecture]:
        """A fixed spread of networks of the space, from its smallest to large ones."""
        rng = np.random.default_rng(0)
        for k in range(_CALIBRATION):
            labels = space.sample(rng)
            # Up to half the range: the largest networks would take long and teach little.
            fraction = 0.5 * k / (_CALIBRATION - 1)
            fractions = {d.name: fraction for d in space.filling}
            point = space.fill(labels, fractions, scale, lambda arch: True)
            assert point is not None
            yield space.architecture(point, scale)


def _features(arch: Architecture, lr: tuple[int, int]) -> npt.NDArray[np.float64]:
    macs = activations = count = 0
    for layer in layers(arch, lr=lr):
        macs += layer.macs
        activations += layer.activations
        count += 1
    # In units that make all weights of similar size.
    return np.array([macs / 1e9, activations / 1e6, count / 1e2, 1e-2])
