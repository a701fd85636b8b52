"""What a replayed search had spent whenever a network of it was trained to the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.table.table import Table
from nas.pareto import hypervolume

__all__ = ["Finish", "Yardstick"]


@dataclass(frozen=True, slots=True)
class Finish:
    """A network was trained to the end when the whole search had done ``steps`` steps."""

    steps: int
    hash: str


class Yardstick:
    """Hypervolume of trained networks, as a share of the whole table's.

    Every figure is scaled by its range over the table, so that the reference point, the worst
    of each over the table, is (1, 1).

    Args:
        table: whose networks.
        cost: the column beside PSNR, such as ``"params"``; less is better.
        limit: networks of more cost do not count.
    """

    def __init__(self, table: Table, cost: str, limit: float = np.inf) -> None:
        frame = table.final.dropna(subset=["psnr_y_db"])
        frame = frame[frame[cost] <= limit]
        psnr, price = frame["psnr_y_db"].to_numpy(), np.log(frame[cost].to_numpy())
        points = np.column_stack(
            [(psnr.max() - psnr) / np.ptp(psnr), (price - price.min()) / np.ptp(price)]
        )
        self._points = dict(zip(frame["hash"], points, strict=True))
        self._whole = hypervolume(points, (1.0, 1.0))

    def share(self, hashes: Sequence[str]) -> float:
        """Of these networks together, 0..1."""
        points = [self._points[name] for name in hashes if name in self._points]
        return hypervolume(np.array(points), (1.0, 1.0)) / self._whole if points else 0.0

    def curve(
        self, finishes: Sequence[Finish], at_steps: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """The share reached by each of these numbers of steps."""
        reached, shares = [0], [0.0]
        for count, finish in enumerate(finishes, start=1):
            reached.append(finish.steps)
            shares.append(self.share([one.hash for one in finishes[:count]]))
        index = np.searchsorted(np.array(reached), at_steps, side="right") - 1
        return np.array(shares)[index]
