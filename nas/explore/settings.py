"""Everything that decides what a search does: one field a setting, with its range and default."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Unpack

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nas.choice import BETTER, check_preference
from nas.data.places import PhotoPlaces
from nas.evaluate.threads import MOST_THREADS, usual_threads
from nas.explore import values
from nas.explore.halving import rung_steps
from nas.explore.keywords import Keywords, tells_keywords_of
from nas.latency.command.setup import DeviceCommands
from nas.noise import Noise, noise_of_run
from nas.objectives import OBJECTIVES
from nas.plain import checked
from nas.run_file import read_run_file
from nas.training.recipe import Recipe, profile
from search_spaces import Space
from search_spaces.architecture import Scale
from search_spaces.errors import InputError

__all__ = ["DEFAULT_CANDIDATES", "DEFAULT_ETA", "DEFAULT_RUNGS", "SearchSettings", "make_settings"]

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


def _run_folder(known: Mapping[str, Any]) -> Path:
    """``runs/600K-params``, with whatever is not the default behind it."""
    parts = [budget.text for budget in known["budget"]] or ["no-budget"]
    parts += [f"x{known['scale']}"] if known["scale"] != 4 else []
    parts += [known["space"].name] if known["space"].name != "distillation" else []
    parts += [known["profile"]] if known["profile"] != "quick" else []
    return Path("runs") / re.sub(r"[^A-Za-z0-9.-]+", "-", "-".join(parts))


def _told(folder: Path) -> dict[str, Any]:
    """What run.yaml says; nothing of a run that is not there yet, or is refused further on."""
    try:
        return read_run_file(folder)
    except InputError:
        return {}


def _study(known: Mapping[str, Any]) -> str | None:
    """The study that the folder's own store holds: a folder may have been renamed."""
    about = {} if known["storage"] else _told(known["run"])
    return None if about.get("storage") else about.get("study")


def _noise(known: Mapping[str, Any]) -> Noise:
    profile, steps = known["profile"], known["recipe"].steps
    return noise_of_run(known["run"], profile, steps, known["noise_db"])


def _threads(known: Mapping[str, Any]) -> int:
    """As the model was measured, or else the run's latencies so far."""
    model = known["latency_model"]
    if model is not None and model.device.threads is not None:
        return int(model.device.threads)
    told = _told(known["run"]).get("identity", {}).get("latency_threads")
    return int(told or usual_threads())


_HERE = Field(exclude=True)
"""Of one start or one machine alone: no part of the text that the study carries."""


class SearchSettings(BaseModel):
    """The settings of a search, validated; what is left out has got its default.

    A setting is a field here, a keyword in ``Keywords`` and an option of ``nas search``.

    Attributes:
        budget: the most that a network may cost, ``"600K-params"`` or several; empty for none.
        space: what can be built: a named space, a YAML file or a ``Space``.
        scale: upscaling factor, 2, 3 or 4; 1: images of the same size, with LR of your own.
        profile: length of the proxy training: smoke, quick (default), standard or full; with a
            recipe of one's own it is ``"custom"``.
        recipe: how each network is trained, where no profile is meant.
        objectives: names among ``nas.objectives.OBJECTIVES``, psnr among them; by default psnr
            against every budgeted figure.
        sampler: one of ``SAMPLERS``: tpe, nsga2, nsga3, gp or random.
        trials: trained networks in all, over every start of this search; by default 4, 24, 80 or
            260 by the profile.
        timeout: no trial is started after so many seconds of this start, or ``"5m"``; ``None``:
            no limit.
        rungs: at how many steps a network is judged, the last one included; 1: no early stop;
            ``None``: 2, but for very short trainings.
        eta: of so many networks one goes on from each rung; more than 1.
        early_stop: whether networks may stop before the end.
        candidates: of so many proposals the most promising one is trained, 1: the first.
        warm_start: folders of earlier runs whose fronts are trained first.
        seed: of the sampler.
        data: image folder, ``None`` for the embedded photos.
        lr: folder of their LR images, ``None``: LR is made from HR by MATLAB's bicubic.
        val: validation folder, ``None`` for a seeded split.
        val_lr: folder of their LR images, likewise.
        degradation: by which LR is made where there is none; ``None``: by MATLAB's bicubic.
        run: the run folder; by default below runs/, named by what is searched.
        storage: URL of an Optuna store, ``None`` for the one embedded in the run folder.
        study: the study's name in the store, ``None`` for the run folder's.
        prefer: which of those that are as good is the best: ``"better"`` or ``"cheaper"``; by
            default what the run was begun with.
        device: ``"cpu"``, ``"cuda"``; ``None`` for the best there is.
        latency_size: input (height, width) in pixels for latency, or ``"160x90"``, width first;
            ``None``: that of the latency model, or 160x90.
        latency_command: what tells milliseconds of a network's file on the device that is searched
            for, ``"./bench.sh {onnx}"`` (docs/devices.md), or one for each of several devices of a
            kind; it stands in the study and the run folder as it is given.
        latency_pattern: a regular expression whose one group is the time in what that prints;
            ``None``: the last number.
        latency_limit: seconds after which a call of it is ended; ``None``: 60.
        latency_elsewhere: whether the latency model is of another device, which is searched for.
        latency_model: a fitted model or its file, which says latencies; ``None`` to measure.
        threads: CPU threads of a measured forward pass; by default what the run was begun with,
            else ``OMP_NUM_THREADS``, else torch's own choice. Two on a loaded machine have taken
            12 times as long as one.
        checkpoints: folder or URL for checkpoints and weights that workers on other machines
            see; ``None`` for the run folder.
        checkpoints_mb: of stopped networks no more than this is kept, MB (10^6).
        noise_db: standard deviation of one network's PSNR-Y between seeds; ``None``: what the
            run's own audit has measured, or what is known of the profile.
        noise: what a seed does to one network's figures; who is behind by less than what it
            does to a difference of two is as good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hr: ClassVar[tuple[int, int]] = (720, 1280)
    """Output height and width for multi-adds, activations and memory."""

    # Defaults that look at other settings look at those above them.
    budget: values.Budgets = ()
    space: values.SearchSpace = Field(default_factory=lambda: Space.load("distillation"))
    scale: Scale = 4
    profile: str = "quick"
    recipe: Recipe = Field(default_factory=lambda known: profile(known["profile"]))
    objectives: values.Objectives = Field(
        default_factory=lambda known: ("psnr", *([b.name for b in known["budget"]] or ["params"]))
    )
    sampler: values.SamplerName = "tpe"
    trials: values.Count = Field(
        default_factory=lambda known: _TRIALS.get(known["profile"], _TRIALS["quick"])
    )
    timeout: Annotated[values.Seconds | None, Field(gt=0), _HERE] = None
    rungs: Annotated[int | None, Field(strict=True, ge=1, le=64)] = None
    eta: Annotated[values.Number, Field(gt=1, le=1000)] = DEFAULT_ETA
    early_stop: bool = True
    candidates: Annotated[values.Count, Field(le=1000)] = DEFAULT_CANDIDATES
    warm_start: Annotated[tuple[Path, ...], _HERE] = ()
    seed: Annotated[int, Field(strict=True, ge=0)] = 0
    data: Annotated[Path | None, _HERE] = None
    lr: Annotated[Path | None, _HERE] = None
    val: Annotated[Path | None, _HERE] = None
    val_lr: Annotated[Path | None, _HERE] = None
    degradation: values.Degradation | None = None
    run: Annotated[Path, _HERE] = Field(default_factory=_run_folder)
    storage: Annotated[str | None, _HERE] = None
    study: Annotated[str | None, _HERE] = Field(default_factory=_study)
    prefer: Annotated[str, AfterValidator(check_preference)] = Field(
        default_factory=lambda known: str(_told(known["run"]).get("prefer", BETTER))
    )
    device: Annotated[str | None, _HERE] = None
    latency_size: values.Size | None = None
    latency_command: values.Commands = ()
    latency_pattern: values.Pattern | None = None
    latency_limit: values.CommandLimit | None = None
    latency_elsewhere: Annotated[bool, _HERE] = False
    latency_model: values.FittedModel | None = None
    threads: Annotated[values.Threads, Field(le=MOST_THREADS)] = Field(default_factory=_threads)
    checkpoints: str | None = None
    checkpoints_mb: Annotated[values.Number, Field(ge=0)] = 4000.0
    noise_db: Annotated[values.Number | None, Field(ge=0, allow_inf_nan=False)] = None
    noise: Noise = Field(default_factory=_noise)

    @property
    def study_name(self) -> str:
        """The study's name in its store: that of the run folder unless another is given."""
        return self.study or self.run.resolve().name

    @property
    def places(self) -> PhotoPlaces:
        """Where its photos are."""
        return PhotoPlaces.of(self.data, self.val, self.lr, self.val_lr, self.degradation)

    @property
    def rung_steps(self) -> tuple[int, ...]:
        """The steps at which a network is judged, geometric up to the recipe's."""
        usual = DEFAULT_RUNGS if self.recipe.steps >= _LEAST_STEPS else 1
        return rung_steps(
            self.recipe.steps, (self.rungs or usual) if self.early_stop else 1, self.eta
        )

    @property
    def latency_lr(self) -> tuple[int, int]:
        """Input height and width for latency."""
        model = self.latency_model
        return self.latency_size or (model.device.lr_size if model else _LATENCY_LR_SIZE)

    @property
    def device_commands(self) -> DeviceCommands | None:
        """What is asked for latencies where this machine is not."""
        return DeviceCommands.given(self.latency_command, self.latency_pattern, self.latency_limit)

    @property
    def named(self) -> frozenset[str]:
        """The figures that are objectives or have a budget."""
        return frozenset((*self.objectives, *(budget.name for budget in self.budget)))

    @property
    def weighs_latency(self) -> bool:
        """Whether latency, or what is made of it, is an objective or has a budget."""
        return any(OBJECTIVES[name].timed for name in self.named)

    @property
    def weighs_score(self) -> bool:
        """Whether the challenge's score is an objective or has a budget."""
        return "esr_score" in self.named

    @property
    def measures_late(self) -> bool:
        """Whether memory and latency are measured only of networks that finish.

        Measuring takes a good part of a first rung's time, and most networks get no further;
        but where these figures decide which ones do, they are needed before.
        """
        measured = any(OBJECTIVES[name].measured for name in self.named)
        return len(self.rung_steps) > 1 and not measured

    def identity(self, data_name: str, data_fingerprint: str) -> dict[str, Any]:
        """What must be equal for trials to belong into one study, as JSON-ready data."""
        model, weighs = self.latency_model, self.weighs_latency
        return {
            "space": self.space.name,
            "space_hash": self.space.hash,
            "scale": self.scale,
            "objectives": list(self.objectives),
            "budgets": {budget.attribute: budget.limit for budget in self.budget},
            "profile": self.profile,
            "recipe": self.recipe.model_dump(mode="json"),
            "data": data_name,
            "data_fingerprint": data_fingerprint,
            "hr": list(self.hr),
            "latency_lr": list(self.latency_lr),
            "latency_model": model.hash if model else None,
            # Where no network is chosen by a measured latency, it may come from anywhere.
            "latency_threads": self.threads
            if weighs and not (model or self.latency_command)
            else None,
            "latency_command": list(self.latency_command) if weighs else [],
            "latency_pattern": self.latency_pattern if weighs else None,
            "rungs": list(self.rung_steps),
        }


@tells_keywords_of(SearchSettings)
def make_settings(budget: Sequence[str] | str = (), **given: Unpack[Keywords]) -> SearchSettings:
    """Settings from what a user gives; everything left out gets its default.

    Args:
        budget: the most that a network may cost, one or several, as for ``nas.search``.
        **given: those below.

    Returns:
        The settings, checked, for ``nas.run_search``.

    Raises:
        InputError: any value that makes no sense, with what was expected.

    Example:
        >>> settings = nas.make_settings("600K-params", sampler="nsga2", storage="memory")
        >>> run = nas.run_search(settings)
    """
    told = {"budget": budget, **given}
    if given.get("recipe") is not None:
        told["profile"] = "custom"
    return checked(SearchSettings, {name: v for name, v in told.items() if v is not None})
