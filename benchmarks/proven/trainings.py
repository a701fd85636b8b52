"""Searches and trainings of a class, each done once and kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.proven.candidates import Candidates
from benchmarks.proven.classes import Search, WeightClass
from benchmarks.research_data import research_data
from benchmarks.rows import Table
from nas.evaluate.benchmark import TestSet, evaluate_set
from nas.evaluate.upscale import upscale
from nas.explore.events import Event
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.trainer import NetworkTrainer
from nas.latency.network_time import measure_latency
from nas.locks import locked
from nas.records import FINISHED, TrialRecord
from nas.run import Run
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from search_spaces import Architecture, build, folded, load, price
from search_spaces.files import atomic_path

__all__ = ["ENDS", "Job", "Row", "Rows", "latencies_ms", "searched", "trained"]

ENDS = ("published", "family", "found", "quick")
"""Parts of trainings to the end, which alone the test sets are shown to."""
_TEST_SETS = ("Set5", "Set14")
_VALIDATIONS = 4
_LATENCY_LR = (90, 160)


@dataclass(frozen=True)
class Job:
    """A training: a network of a class, as what it takes part, its seed and its steps."""

    weight_class: str
    network: str
    part: str
    architecture: Architecture
    seed: int
    steps: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What a row is known by."""
        return self.weight_class, self.architecture.hash, self.seed, self.steps


@dataclass(frozen=True)
class Row:
    """What a training gave; the file's columns.

    Attributes:
        weight_class: its class.
        network: a published design, or the space and trial that it was found by.
        part: published, family, candidate (of which the finalists are chosen), found, quick (found
            within a published design's latency), or twice, which shows whether the end was reached.
        hash: of the architecture.
        params: of it.
        macs: at a 1280x720 output.
        seed: of weights and patches.
        steps: of the training.
        seconds: that it took, with whatever ran beside.
        psnr_y_db: on the validation photos, at the end.
        set5_psnr_y_db: which chooses nothing; None where it was not measured.
        set14_psnr_y_db: which chooses nothing; None where it was not measured.
    """

    weight_class: str
    network: str
    part: str
    hash: str
    params: int
    macs: int
    seed: int
    steps: int
    seconds: float
    psnr_y_db: float
    set5_psnr_y_db: float | None = None
    set14_psnr_y_db: float | None = None


class Rows(Table[Row]):
    """A row a training."""

    def __init__(self, path: Path) -> None:
        super().__init__(Row, path)

    def of(self, job: Job) -> Row | None:
        """The row of a training that is done, whatever part it took."""
        for row in self.all():
            if (row.weight_class, row.hash, row.seed, row.steps) == job.key:
                return row
        return None


def searched(
    one: WeightClass, search: Search, trials: int, work: Path, kept: Candidates, most: int,
    tell: Callable[[Event], None], *, wait: bool,
) -> Mapping[str, Architecture]:  # fmt: skip
    """The best of a search, by the names that they take part by; it is made or goes on.

    Nothing where it is not to be waited for and another process is at it. Designs that take part
    anyway, which searches begin with, are not among them.
    """
    folder = work / one.name.replace(" ", "_")
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / f"{search.label}.lock", wait=wait) as mine:
        if not mine:
            return {}
        found = kept.of(one.name, search.label)
        if found is None:
            records = _search(one, search, trials, work, tell)
            others = {arch.hash for arch in (*one.published.values(), *one.family.values())}
            new = [record for record in records if record.architecture_hash not in others]
            found = {
                f"{search.label} {record.number}": Architecture.from_dict(dict(record.architecture))
                for record in new[:most]
            }
            with locked(work / "rows.lock", wait=True):
                kept.keep(one.name, search.label, found)
    return found


def _search(
    one: WeightClass, search: Search, trials: int, work: Path, tell: Callable[[Event], None]
) -> list[TrialRecord]:
    """The finished networks, the best first; or what is left to do of it."""
    budgets = [f"{one.params}-params"]
    if one.macs is not None:
        budgets.append(f"{one.macs}-macs")
    if search.quick:
        budgets.append(f"{_latency_of(one, work):.3f}ms-latency")
    folder = work / one.name.replace(" ", "_")
    settings = make_settings(
        budgets,
        objectives="psnr",
        profile=search.profile,
        space=search.space,
        scale=one.scale,
        trials=trials,
        run=folder / f"{search.label.replace(' ', '-')}-{search.profile}",
        threads=1,
        seed=0,
    )
    run: Run = run_search(settings, tell, trainer=NetworkTrainer(one.photos, settings.recipe))
    finished = [record for record in run.records() if record.state == FINISHED]
    return sorted(finished, key=lambda record: -(record.psnr_y_db or 0.0))


def _latency_of(one: WeightClass, work: Path) -> float:
    """What the design that a class is to be as quick as takes on this machine, in ms.

    Measured once, since a search goes on with the budgets that it began with.
    """
    kept = work / f"{one.name.replace(' ', '_')}_latency.json"
    if not kept.is_file():
        (latency_ms,) = latencies_ms([one.published[one.quick_as]])
        with atomic_path(kept) as path:
            path.write_text(json.dumps({"design": one.quick_as, "latency_ms": latency_ms}))
    return float(json.loads(kept.read_text())["latency_ms"])


def latencies_ms(networks: Sequence[Architecture]) -> list[float]:
    """What networks take in use, in turns, as searches measure it by default, on one thread."""
    built, colors = [build(folded(arch)) for arch in networks], networks[0].colors
    found = measure_latency(built, lr_size=_LATENCY_LR, threads=1, colors=colors)
    return [round(one.latency_ms, 3) for one in found]


def trained(one: WeightClass, job: Job, rows: Rows, work: Path) -> Row | None:
    """Trains a network, or goes on; nothing where it is done or another process does it."""
    folder = _folder(job.weight_class, job.architecture.hash, job.steps, job.seed, work)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_suffix(".lock"), wait=False) as mine:
        if not mine or rows.of(job) is not None:
            return None
        settings = TrainSettings(
            job.architecture, one.recipe(job.steps), one.photos, folder, seed=job.seed,
            every=max(1, job.steps // _VALIDATIONS), tensorboard=False,
        )  # fmt: skip
        last = train_fully(settings).rows[-1]
        quality, cost = last["validation_psnr_y_db"], price(job.architecture)
        assert quality is not None
        tested = _tested(folder / "last.safetensors", one.scale) if job.part in ENDS else ()
        row = Row(
            job.weight_class, job.network, job.part, job.architecture.hash, cost.params, cost.macs,
            job.seed, job.steps, round(float(last["seconds"] or 0.0), 1), round(float(quality), 4),
            *tested,
        )  # fmt: skip
        with locked(work / "rows.lock", wait=True):
            rows.append(row)
    return row


def _tested(weights: Path, scale: int) -> list[float]:
    """PSNR-Y on each of the test sets."""
    network = load(weights)
    enlarge = partial(upscale, network, scale=scale, colors=network.architecture.colors)
    sets = (TestSet.open(name, research_data() / "test" / name, scale) for name in _TEST_SETS)
    return [round(evaluate_set(enlarge, images).psnr_y_db, 4) for images in sets]


def _folder(weight_class: str, network: str, steps: int, seed: int, work: Path) -> Path:
    return work / weight_class.replace(" ", "_") / "trained" / f"{network}-{steps}-{seed}"
