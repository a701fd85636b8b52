"""What ``nas evaluate`` prints and writes: a network, and bicubic upscaling beside it."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.cli.console import PlainConsole, figures_table
from search_spaces.files import atomic_path

if TYPE_CHECKING:
    from nas.evaluate.validate import ImageQuality, Quality

__all__ = ["print_table", "to_plain", "write_csv"]

Results = Mapping[str, "Sequence[Quality]"]
"""By the set's name: the network's, and that of bicubic upscaling unless that is the network."""


def write_csv(path: Path, results: Results) -> None:
    """Every figure of every image, and the means.

    Raises:
        InputError: the file cannot be written.
    """
    from nas.evaluate.benchmark import rows

    names = ("psnr_y_db", "ssim_y", "bicubic_psnr_y_db", "bicubic_ssim_y")
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("set", "image", *names[: 2 * _measured(results)]))
        for name, image, found in rows(results):
            figures = (text for psnr, ssim in found for text in (f"{psnr:.6f}", f"{ssim:.8f}"))
            writer.writerow((name, image, *figures))


def to_plain(name: str, quality: Quality, bicubic: Quality | None = None) -> dict[str, Any]:
    """One set for JSON."""
    images = [
        {"name": one.name, **_figures(one, None if bicubic is None else bicubic.images[number])}
        for number, one in enumerate(quality.images)
    ]
    return {"name": name, **_figures(quality, bicubic), "images": images}


def print_table(facts: Mapping[str, Any], results: Results) -> None:
    """A row for every image, and for the mean of every set."""
    from nas.evaluate.benchmark import rows

    title = f"{Path(facts['network']).name}, x{facts['scale']}"
    if "params" in facts:
        title += f", {facts['params']:,} parameters, {facts['macs'] / 1e9:.2f} G multi-adds"
    title += ", self-ensemble" if facts["self_ensemble"] else ""
    headings = ("PSNR-Y [dB]", "SSIM-Y", "Bicubic [dB]", "SSIM-Y")[: 2 * _measured(results)]
    table = figures_table("Set", "Image", *headings, title=title, names=2)
    for name, image, found in rows(results):
        mean = image == "mean"
        figures = (text for psnr, ssim in found for text in (f"{psnr:.4f}", f"{ssim:.5f}"))
        table.add_row(name, image, *figures, style="bold" if mean else None, end_section=mean)
    PlainConsole().print(table)


def _measured(results: Results) -> int:
    return len(next(iter(results.values())))


def _figures(
    of: ImageQuality | Quality, beside: ImageQuality | Quality | None = None
) -> dict[str, Any]:
    # JSON knows no infinity, which identical images have.
    psnr_y_db = of.psnr_y_db if math.isfinite(of.psnr_y_db) else None
    found = {"psnr_y_db": psnr_y_db, "ssim_y": of.ssim_y}
    return found if beside is None else {**found, "bicubic": _figures(beside)}
