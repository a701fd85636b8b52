"""What ``nas evaluate`` prints and writes: a network, and bicubic or the input beside it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.cli.console import PlainConsole, figures_table
from search_spaces.files import atomic_path

if TYPE_CHECKING:
    from nas.evaluate.metrics import Metric
    from nas.evaluate.validate import ImageQuality, Quality

__all__ = ["print_table", "to_plain", "write_csv"]

Results = Mapping[str, "Sequence[Quality]"]
"""By the set's name: the network's, and the baseline's unless that is the network."""


_PSNR_Y, _SSIM_Y = ("psnr_y_db", "PSNR-Y [dB]"), ("ssim_y", "SSIM-Y")
"""Columns of files and headings of tables."""


def write_csv(path: Path, results: Results, baseline: str, metrics: Sequence[Metric] = ()) -> None:
    """Every figure of every image, and the means.

    Raises:
        InputError: the file cannot be written.
    """
    from nas.evaluate.benchmark import rows

    names = _columns(metrics)
    beside = [f"{baseline}_{name}" for name in names] if _measured(results) > 1 else []
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("set", "image", *names, *beside))
        for name, image, found in rows(results):
            writer.writerow((name, image, *_texts(names, found, 6, 8)))


def to_plain(
    name: str,
    quality: Quality,
    beside: Quality | None = None,
    *,
    baseline: str,
    metrics: Sequence[Metric] = (),
) -> dict[str, Any]:
    """One set for JSON."""
    names = _columns(metrics)

    def figures(of: ImageQuality | Quality, other: ImageQuality | Quality | None) -> dict[str, Any]:
        found = _figures(names, of)
        return found if other is None else {**found, baseline: _figures(names, other)}

    images = [
        {"name": one.name, **figures(one, None if beside is None else beside.images[number])}
        for number, one in enumerate(quality.images)
    ]
    return {"name": name, **figures(quality, beside), "images": images}


def print_table(
    facts: Mapping[str, Any], results: Results, baseline: str, metrics: Sequence[Metric] = ()
) -> None:
    """A row for every image, and for the mean of every set."""
    from nas.evaluate.benchmark import rows

    title = f"{Path(facts['network']).name}, x{facts['scale']}"
    if "params" in facts:
        title += f", {facts['params']:,} parameters, {facts['macs'] / 1e9:.2f} G multi-adds"
    title += ", self-ensemble" if facts["self_ensemble"] else ""
    headings = [_PSNR_Y[1], _SSIM_Y[1], *(one.heading for one in metrics)]
    both, columns = _measured(results) > 1, _columns(metrics)
    # Of more than two figures, the baseline's stand below the network's: there is no room beside.
    below = both and bool(metrics)
    if both and not below:
        headings += [f"{baseline.capitalize()} [dB]", _SSIM_Y[1]]
    names = ["Set", "Image", *["By"] * below]
    table = figures_table(*names, *headings, title=title, names=len(names))
    for name, image, found in rows(results):
        mean = image == "mean"
        style = "bold" if mean else None
        if below:
            own, other = (_texts(columns, [figures], 4, 5) for figures in found)
            table.add_row(name, image, "network", *own, style=style)
            table.add_row("", "", baseline, *other, style=style, end_section=mean)
        else:
            texts = _texts(columns, found, 4, 5)
            table.add_row(name, image, *texts, style=style, end_section=mean)
    PlainConsole().print(table)


def _columns(metrics: Sequence[Metric]) -> list[str]:
    return [_PSNR_Y[0], _SSIM_Y[0], *(one.column for one in metrics)]


def _texts(
    names: Sequence[str], found: Sequence[Sequence[float]], digits_db: int, digits: int
) -> list[str]:
    """All figures of a row, those in dB with fewer digits."""
    return [
        f"{value:.{digits_db if column.endswith('_db') else digits}f}"
        for figures in found
        for column, value in zip(names, figures, strict=True)
    ]


def _measured(results: Results) -> int:
    return len(next(iter(results.values())))


def _figures(names: Sequence[str], of: ImageQuality | Quality) -> dict[str, Any]:
    values = (of.psnr_y_db, of.ssim_y, *of.more)
    # JSON knows no infinity, which identical images have.
    known = (value if math.isfinite(value) else None for value in values)
    return dict(zip(names, known, strict=True))
