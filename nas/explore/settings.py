"""Everything that decides what a search does."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.budget import Budget, parse_budgets
from nas.choice import BETTER, check_preference
from nas.explore.halving import rung_steps
from nas.explore.limits import check_climb
from nas.explore.sampler import SAMPLERS
from nas.latency.model import LatencyModel, model_for
from nas.noise import EXACT, GIVEN, Noise, noise_of, noise_of_run
from nas.objectives import OBJECTIVES
from nas.run_file import read_run_file
from nas.training.recipe import Recipe, profile
from search_spaces import Space
from search_spaces.errors import InputError

__all__ = [
    "DEFAULT_ETA",
    "DEFAULT_RUNGS",
    "SearchSettings",
    "default_run_folder",
    "make_settings",
    "parse_seconds",
]

_TRIALS = {"smoke": 4, "quick": 24, "standard": 80, "full": 260}
_LATENCY_LR_SIZE = (90, 160)

DEFAULT_RUNGS = 2
DEFAULT_ETA = 2.0
DEFAULT_CANDIDATES = 4
"""Rungs, the share that goes on from each, and proposals of which one is trained.

Chosen on benchmarks/results/search_efficiency.json: for the price of some tens of trainings no
setting finds more; more candidates find a little more, and asking takes longer."""

_LEAST_STEPS = 100
"""Shorter trainings than this are not stopped early by default: their rungs would say nothing."""


@dataclass(frozen=True)
class SearchSettings:
    """The settings of a search, validated.

    Attributes:
        budgets: the walls; empty for none.
        objectives: names among ``nas.objectives.OBJECTIVES``, PSNR among them.
        space: what can be built.
        scale: upscaling factor, 2, 3 or 4.
        profile: the recipe's name, or ``"custom"``.
        recipe: how each network is trained.
        sampler: one of ``SAMPLERS``.
        trials: trained networks in all, over every start of this search.
        timeout_s: no trial is started after so many seconds of this start; ``None``: no limit.
        seed: of the sampler.
        data: image folder, ``None`` for the embedded photos.
        validation: validation folder, ``None`` for a split.
        storage: URL of an Optuna store, ``None`` for the one embedded in the run folder.
        run: the run folder.
        hr: output height and width for multi-adds, activations and memory.
        latency_lr: input height and width for latency.
        device: ``"cpu"``, ``"cuda"``; ``None`` for the best there is.
        latency_model: says latencies, instead of measurements; ``None`` to measure.
        checkpoints: folder or URL for checkpoints and weights that workers on other machines
            see; ``None`` for the run folder.
        study: the study's name in the store, ``None`` for the run folder's.
        rungs: at how many steps a network is judged, the last one included; 1: no early stop.
        eta: one of so many networks goes on from each rung, more than 1.
        noise: what a seed does to one network's figures; who is behind by less than what it
            does to a difference of two is as good.
        checkpoints_mb: of stopped networks no more than this is kept, MB (10^6).
        warm_start: folders of earlier runs whose fronts are trained first.
        candidates: of so many proposals the most promising one is trained, 1: the first.
        prefer: which of those that are as good is the best: ``"better"`` or ``"cheaper"``.
    """

    budgets: tuple[Budget, ...]
    objectives: tuple[str, ...]
    space: Space
    scale: int
    profile: str
    recipe: Recipe
    sampler: str
    trials: int
    timeout_s: float | None
    seed: int
    data: Path | None
    validation: Path | None
    storage: str | None
    run: Path
    hr: tuple[int, int] = (720, 1280)
    latency_lr: tuple[int, int] = _LATENCY_LR_SIZE
    device: str | None = None
    latency_model: LatencyModel | None = None
    checkpoints: str | None = None
    study: str | None = None
    rungs: int = DEFAULT_RUNGS
    eta: float = DEFAULT_ETA
    noise: Noise = EXACT
    checkpoints_mb: float = 4000.0
    warm_start: tuple[Path, ...] = ()
    candidates: int = DEFAULT_CANDIDATES
    prefer: str = BETTER

    @property
    def study_name(self) -> str:
        """The study's name in its store: that of the run folder unless another is given."""
        return self.study or self.run.resolve().name

    @property
    def rung_steps(self) -> tuple[int, ...]:
        """The steps at which a network is judged, geometric up to the recipe's."""
        return rung_steps(self.recipe.steps, self.rungs, self.eta)

    @property
    def measures_late(self) -> bool:
        """Whether memory and latency are measured only of networks that finish.

        Measuring takes a good part of a first rung's time, and most networks get no further;
        but where these figures decide which ones do, they are needed before.
        """
        named = {budget.name for budget in self.budgets} | set(self.objectives)
        return len(self.rung_steps) > 1 and not named & {"latency", "memory"}

    def identity(self, data_name: str, data_fingerprint: str) -> dict[str, Any]:
        """What must be equal for trials to belong into one study, as JSON-ready data."""
        return {
            "space": self.space.name,
            "space_hash": self.space.hash,
            "scale": self.scale,
            "objectives": list(self.objectives),
            "budgets": {budget.attribute: budget.limit for budget in self.budgets},
            "profile": self.profile,
            "recipe": self.recipe.model_dump(mode="json"),
            "data": data_name,
            "data_fingerprint": data_fingerprint,
            "hr": list(self.hr),
            "latency_lr": list(self.latency_lr),
            "latency_model": self.latency_model.hash if self.latency_model else None,
            "rungs": list(self.rung_steps),
        }


def make_settings(
    budgets: Sequence[str] = (),
    *,
    objectives: Sequence[str] | str | None = None,
    space: str | Path | Space = "distillation",
    scale: int = 4,
    profile_name: str = "quick",
    recipe: Recipe | None = None,
    sampler: str = "tpe",
    trials: int | None = None,
    timeout_s: float | None = None,
    seed: int = 0,
    data: Path | str | None = None,
    validation: Path | str | None = None,
    storage: str | None = None,
    run: Path | str | None = None,
    latency_lr: tuple[int, int] | None = None,
    device: str | None = None,
    latency_model: Path | str | None = None,
    latency_elsewhere: bool = False,
    checkpoints: str | None = None,
    study: str | None = None,
    rungs: int | None = None,
    eta: float = DEFAULT_ETA,
    early_stop: bool = True,
    noise_db: float | None = None,
    checkpoints_mb: float = 4000.0,
    warm_start: Sequence[Path | str] = (),
    candidates: int = DEFAULT_CANDIDATES,
    prefer: str | None = None,
) -> SearchSettings:
    """Settings from what a user gives; everything left out gets its default.

    ``noise_db`` is of one network between seeds; left out, it is what the run's own audit has
    measured, or what is known of the profile (``nas.noise``). ``prefer`` left out is what the run
    was begun with.

    Raises:
        InputError: any value that makes no sense, with what was expected.
    """
    parsed = parse_budgets(budgets)
    names = _objectives(objectives, parsed)
    if sampler not in SAMPLERS:
        raise InputError(f"sampler: expected one of {', '.join(SAMPLERS)}, got {sampler!r}")
    if scale not in (2, 3, 4):
        raise InputError(f"scale: expected 2, 3 or 4, got {scale}")
    chosen = recipe if recipe is not None else profile(profile_name)
    name = "custom" if recipe is not None else profile_name
    count = trials if trials is not None else _TRIALS.get(name, _TRIALS["quick"])
    if count < 1:
        raise InputError(f"trials: expected at least 1, got {count}")
    if timeout_s is not None and timeout_s <= 0:
        raise InputError(f"timeout: expected more than 0 seconds, got {timeout_s}")
    if seed < 0:
        raise InputError(f"seed: expected at least 0, got {seed}")
    model = None
    if latency_model is not None:
        model = model_for(latency_model, lr_size=latency_lr, scale=scale, place=device,
                          elsewhere=latency_elsewhere)  # fmt: skip
    latency_lr = latency_lr or (model.device.lr_size if model else _LATENCY_LR_SIZE)
    if min(latency_lr) < 1:
        raise InputError(f"latency size: expected at least 1x1, got {latency_lr}")
    usual = DEFAULT_RUNGS if chosen.steps >= _LEAST_STEPS else 1
    height = (rungs if rungs is not None else usual) if early_stop else 1
    check_climb(height, eta, candidates)
    if noise_db is not None and not 0.0 <= noise_db < math.inf:
        raise InputError(f"noise: expected 0 dB or more, got {noise_db:g}")
    if not checkpoints_mb >= 0.0:
        raise InputError(f"checkpoints: expected 0 MB or more, got {checkpoints_mb:g}")
    loaded = space if isinstance(space, Space) else Space.load(space)
    folder = Path(run) if run is not None else default_run_folder(parsed, loaded, scale, name)
    return SearchSettings(
        parsed, names, loaded, scale, name, chosen, sampler, count, timeout_s, seed,
        Path(data) if data is not None else None,
        Path(validation) if validation is not None else None,
        storage, folder, latency_lr=latency_lr, device=device, latency_model=model,
        checkpoints=checkpoints, study=study if study or storage else _study(folder),
        rungs=height, eta=float(eta), noise=_noise(noise_db, folder, name, chosen.steps),
        checkpoints_mb=checkpoints_mb,
        warm_start=tuple(Path(folder) for folder in warm_start), candidates=candidates,
        prefer=_preference(prefer, folder),
    )  # fmt: skip


def default_run_folder(
    budgets: Sequence[Budget], space: Space, scale: int, profile_name: str
) -> Path:
    """``runs/600K-params``, with whatever is not the default behind it."""
    parts = [budget.text for budget in budgets] or ["no-budget"]
    parts += [f"x{scale}"] if scale != 4 else []
    parts += [space.name] if space.name != "distillation" else []
    parts += [profile_name] if profile_name != "quick" else []
    return Path("runs") / re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(parts))


def parse_seconds(text: str) -> float:
    """Seconds from ``90``, ``90s``, ``5m`` or ``2h``.

    Raises:
        InputError: anything else.
    """
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)([smh]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise InputError(f"timeout {text!r}: expected a time such as 90s, 5m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _noise(given_db: float | None, folder: Path, name: str, steps: int) -> Noise:
    if given_db is None:
        return noise_of_run(folder, name, steps)
    known = noise_of(name, steps)
    return Noise(given_db, known.ssim, known.latency, GIVEN)


def _told(folder: Path) -> dict[str, Any]:
    """What run.yaml says; nothing of a run that is not there yet, or is refused further on."""
    try:
        return read_run_file(folder)
    except InputError:
        return {}


def _study(folder: Path) -> str | None:
    """The study that the folder's own store holds: a folder may have been renamed."""
    return None if (about := _told(folder)).get("storage") else about.get("study")


def _preference(given: str | None, folder: Path) -> str:
    return check_preference(given or str(_told(folder).get("prefer", BETTER)))


def _objectives(given: Sequence[str] | str | None, budgets: Sequence[Budget]) -> tuple[str, ...]:
    if given is None:
        return ("psnr", *(budget.name for budget in budgets)) if budgets else ("psnr", "params")
    listed = given.split(",") if isinstance(given, str) else list(given)
    names = tuple({"flops": "macs"}.get(n.strip().lower(), n.strip().lower()) for n in listed)
    for name in names:
        if name not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise InputError(f"objectives: unknown {name!r}; expected some of {known}")
    if len(set(names)) != len(names):
        raise InputError(f"objectives: expected each one once, got {', '.join(names)}")
    if "psnr" not in names:
        raise InputError(f"objectives: expected psnr among them, got {', '.join(names)}")
    return names
