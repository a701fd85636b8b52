"""What the seed alone does to a network's figures: the one place that says it.

All figures are standard deviations of ONE network between seeds, what a seed does to all networks
alike being left out. Two networks are compared by their difference, whose deviation is sqrt(2)
times that: :func:`of_difference`. They stand in ``noise.yaml`` beside this file for each profile,
as ``benchmarks/proxy_noise.py`` measures them; an audit writes its run's own into the run's folder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from nas.objectives import OBJECTIVES
from nas.plain import from_plain
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.regular import read_regular

__all__ = ["Noise", "noise_of", "noise_of_run", "of_difference", "write_noise"]

_FILE = Path("audit") / "noise.json"


@dataclass(frozen=True, slots=True)
class Noise:
    """The standard deviation between seeds of one network, of each figure that has any.

    Attributes:
        psnr_db: of PSNR-Y, dB.
        ssim: of SSIM-Y.
        latency: of a measured latency, as a share of it.
        source: where the figures are from, in words.
    """

    psnr_db: float
    ssim: float = 0.0
    latency: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("psnr_db", "ssim", "latency"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0.0 <= value < math.inf):
                raise InputError(f"noise: expected {name} of 0 or more, got {value!r}")

    def of(self, objective: str, figure: float = 1.0) -> float:
        """Of one network in an objective of ``nas.objectives``, in the record's own unit.

        Args:
            objective: its name; those that are counted, not measured, have none.
            figure: the network's own, by which the noise of what a clock says grows.
        """
        one = OBJECTIVES[objective]
        known: float = getattr(self, one.noise) if isinstance(one.noise, str) else one.noise
        return known if one.noise_share_of is None else known * one.noise_share_of(figure)

    def between(self, objective: str, figure: float = 1.0) -> float:
        """Of the difference of two networks, which no smaller difference is told from."""
        return of_difference(self.of(objective, figure))


def of_difference(noise: float) -> float:
    """The standard deviation of the difference of two networks, from that of one."""
    return math.sqrt(2.0) * noise


def noise_of(profile: str, steps: int) -> Noise:
    """The noise of a proxy training.

    That of a profile by its name. A recipe of one's own gets that of the longest profile that
    is no longer than it, or of the shortest: noise falls with the steps, and is rather taken
    for too large than for too small.

    Args:
        profile: its name, or any other for a recipe of one's own.
        steps: of the recipe.
    """
    from nas.training.recipe import profile as recipe_of

    table = _table()
    known: Mapping[str, Any] = table["profiles"]
    name = profile
    if name not in known:
        lengths = {one: recipe_of(one).steps for one in known}
        shorter = [one for one in known if lengths[one] <= steps]
        name = max(shorter, key=lengths.__getitem__) if shorter else min(
            known, key=lengths.__getitem__
        )  # fmt: skip
    row = known[name]
    source = f"the {name} profile" if name == profile else f"the {name} profile, the nearest known"
    return Noise(
        float(row["psnr_db"]), float(row["ssim"]), float(table["latency"]["share"]), source
    )


def noise_of_run(folder: Path, profile: str, steps: int, given_db: float | None = None) -> Noise:
    """That which its search was given or a run's audit has measured, else that of its training.

    Args:
        folder: of the run, which may not be there yet.
        profile: the name of its recipe.
        steps: of its recipe.
        given_db: the standard deviation of PSNR-Y that the search was given, if any.

    Raises:
        InputError: the audit's file holds something else.
    """
    if given_db is not None:
        return replace(noise_of(profile, steps), psnr_db=given_db, source="given")
    path = folder / _FILE
    try:
        return from_plain(Noise, json.loads(read_regular(path)), str(path))
    except (FileNotFoundError, NotADirectoryError):
        return noise_of(profile, steps)
    except (OSError, ValueError, RecursionError):
        raise InputError(
            f"{path}: expected the noise that nas audit writes; run nas audit again, or remove it"
        ) from None


def write_noise(folder: Path, noise: Noise) -> Path:
    """Writes a run's own noise where :func:`noise_of_run` finds it."""
    path = folder / _FILE
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(noise), indent=2) + "\n", encoding="utf-8")
    return path


@cache
def _table() -> Mapping[str, Any]:
    import yaml

    text = resources.files("nas").joinpath("noise.yaml").read_text("utf-8")
    table: Mapping[str, Any] = yaml.safe_load(text)
    return table
