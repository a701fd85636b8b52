"""Published results, to compare with: a table of what papers state."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from search_spaces.errors import InputError

__all__ = ["PublishedResult", "published_results"]

_FILE = Path(__file__).with_name("published.csv")


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """One network on one test set, as its source states it.

    Attributes:
        source: the paper.
        table: where in it, or of what its tables and plots are.
        network: the network's name there.
        test_set: Set5, Set14, B100, Urban100, Manga109 or ``AIM 2020 test``.
        scale: 2, 3 or 4.
        psnr_db: on luma; on RGB for ``AIM 2020 test``.
        ssim: on luma; None where the source states none.
        params_k: parameters in thousands, likewise.
        multi_adds_g: multiply-adds in G at the source's own image size (LR 256x256 for
            ``AIM 2020 test``), likewise.
    """

    source: str
    table: str
    network: str
    test_set: str
    scale: int
    psnr_db: float
    ssim: float | None
    params_k: float | None
    multi_adds_g: float | None


def published_results(
    test_set: str | None = None, scale: int | None = None
) -> tuple[PublishedResult, ...]:
    """The published results, of one test set or scale where given, in the sources' order.

    Raises:
        InputError: a test set (upper and lower case are one) or scale of which there is none.
    """
    every = _every()
    chosen = tuple(
        row
        for row in every
        if (test_set is None or row.test_set.lower() == test_set.lower())
        and (scale is None or row.scale == scale)
    )
    if not chosen:
        names = ", ".join(dict.fromkeys(row.test_set for row in every))
        asked = [test_set] if test_set is not None else []
        asked += [f"x{scale}"] if scale is not None else []
        raise InputError(
            f"no published results for {' '.join(asked)}; there are some for {names} at 2, 3, 4"
        )
    return chosen


@lru_cache
def _every() -> tuple[PublishedResult, ...]:
    with _FILE.open(newline="", encoding="utf-8") as file:
        return tuple(
            PublishedResult(
                source=row["source"],
                table=row["table"],
                network=row["network"],
                test_set=row["test_set"],
                scale=int(row["scale"]),
                psnr_db=float(row["psnr_db"]),
                ssim=_number(row["ssim"]),
                params_k=_number(row["params_k"]),
                multi_adds_g=_number(row["multi_adds_g"]),
            )
            for row in csv.DictReader(file)
        )


def _number(text: str) -> float | None:
    return float(text) if text else None
