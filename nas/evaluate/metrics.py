"""What images are judged by beside PSNR-Y and SSIM-Y, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nas.evaluate.ms_ssim import ms_ssim_y
from nas.evaluate.quality import Pixels, psnr_rgb_db
from search_spaces.errors import InputError, nearest

__all__ = ["METRICS", "Measure", "Metric", "metrics_of"]

Measure = Callable[[Pixels, Pixels, int], float]
"""(sr, hr, shave) -> figure; sr and hr are uint8 RGB (H, W, 3), of which borders are left out."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of an enlarged image beside its original.

    Attributes:
        name: on the command line.
        column: in files, with its unit; what is in dB ends with ``_db``.
        heading: in tables.
        measure: what computes it; raises InputError for images that it cannot measure.
    """

    name: str
    column: str
    heading: str
    measure: Measure


def _plain(measure: Measure) -> Callable[[Path | None, str], Measure]:
    return lambda weights, device: measure


def _lpips(weights: Path | None, device: str) -> Measure:
    from nas.evaluate.perceptual import lpips

    return lpips(weights, device)


def _dists(weights: Path | None, device: str) -> Measure:
    from nas.evaluate.perceptual import dists

    return dists(weights, device)


METRICS: dict[str, tuple[str, str, Callable[[Path | None, str], Measure]]] = {
    "psnr_rgb": ("psnr_rgb_db", "PSNR-RGB [dB]", _plain(psnr_rgb_db)),
    "ms_ssim_y": ("ms_ssim_y", "MS-SSIM-Y", _plain(ms_ssim_y)),
    "lpips": ("lpips", "LPIPS", _lpips),
    "dists": ("dists", "DISTS", _dists),
}
"""By name: column, heading, and what makes the measure of a folder of weights and a device."""


def metrics_of(
    names: Sequence[str], weights: Path | None = None, device: str = "cpu"
) -> tuple[Metric, ...]:
    """The metrics of these names, ready to measure.

    Args:
        names: of `METRICS`, each once.
        weights: the folder with the weights of those that are networks.
        device: where these run.

    Raises:
        InputError: an unknown name, one given twice, or weights that are not there or damaged.
    """
    for number, name in enumerate(names):
        if name not in METRICS:
            known = ", ".join(METRICS)
            raise InputError(
                f"--metrics: expected of {known}, got {name!r}{nearest(name, METRICS)}"
            )
        if name in names[:number]:
            raise InputError(f"--metrics: {name} is given twice")
    made = []
    for name in names:
        column, heading, measure = METRICS[name]
        made.append(Metric(name, column, heading, measure(weights, device)))
    return tuple(made)
