"""What every objective of the table has to do in a search, however late it is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nas.explore.events import Event, SearchEnded
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.trainer import OnStep
from nas.latency.meter import Figures, Prices
from nas.objectives import OBJECTIVES, Objective, add_objective
from nas.records import FAILED, FINISHED, Rung, TrialRecord
from nas.run import Run
from search_spaces import Architecture, price
from tests.nas_tests.explore_tests.made_up import MadeUp, networks

OWN = (
    Objective(
        "file", False, "KB", "File", units={"KB": 1.0},
        price=lambda arch, hr: price(arch).params / 500,
    ),
    Objective("worst", True, "dB", "Worst", noise=0.1, worth=lambda network, photos: 0.0),
    Objective("late", True, "", "Late", noise=0.1, worth=lambda network, photos: 0.0, at_end=True),
)  # fmt: skip
EVERY = [*OBJECTIVES, *(one.name for one in OWN)]


@pytest.fixture(autouse=True)
def _own_ones_for_a_while() -> None:
    for one in OWN:
        add_objective(one)


class Judging(MadeUp):
    """A table that knows own worths as well, some at the last step alone."""

    def __init__(self, last: int, forgets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.last, self.forgets = last, forgets

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        rung = super().advance(architecture, until_step, checkpoint=checkpoint, on_step=on_step)
        own = {
            one.name: rung.psnr_y_db % 1
            for one in OBJECTIVES.values()
            if one.worth and (until_step == self.last or not one.at_end)
        }
        return replace(rung, own={name: own[name] for name in own if name not in self.forgets})


class Measures(Prices):
    """Memory, latency and score, made up."""

    def measure(self, arch: Architecture) -> Figures:
        known = self.prices(arch)
        return replace(
            known, memory_mb=known.macs / 1e9, latency_ms=known.params / 1e4,
            esr_score=1 + known.macs / 1e9,
        )  # fmt: skip


def searched(
    folder: Path, objectives: str, rungs: int, budgets: tuple[str, ...] = (),
    forgets: tuple[str, ...] = (),
) -> tuple[Run, list[Event]]:  # fmt: skip
    settings = make_settings(
        budgets, objectives=objectives, rungs=rungs, trials=6, run=folder, space="tiny",
        profile="smoke", candidates=2, storage="memory",
    )  # fmt: skip
    events: list[Event] = []
    trainer = Judging(settings.recipe.steps, forgets)
    meter = Measures(settings.budget)
    return run_search(settings, events.append, trainer=trainer, meter=meter), events


@pytest.mark.parametrize("rungs", [1, 2, 3])
@pytest.mark.parametrize("name", [name for name in EVERY if name != "psnr"])
def test_a_search_that_weighs_it_comes_to_an_end(name: str, rungs: int, tmp_path: Path) -> None:
    run, events = searched(tmp_path, f"psnr,{name}", rungs)
    ended = events[-1]
    assert isinstance(ended, SearchEnded)
    assert ended.reason == "goal reached"
    found = networks(run)
    finished = [record for record in found if record.state == FINISHED]
    assert len(finished) >= (6 if rungs == 1 else 2)
    one = OBJECTIVES[name]
    assert all(one.value(record) is not None for record in finished)
    assert run.front_records()
    if not one.judged:
        # A price is known however early a network stops.
        assert all(one.value(record) is not None for record in found)


def test_a_budget_of_ones_own_is_a_wall(tmp_path: Path) -> None:
    run, _ = searched(tmp_path, "psnr,file", 2, ("30KB-file",))
    assert run.budgets == {"file": 30.0}
    sizes = [record.own["file"] for record in networks(run)]
    assert max(sizes) <= 30
    assert run.best() is not None


def test_what_no_trainer_tells_is_a_failed_trial(tmp_path: Path) -> None:
    run, _ = searched(tmp_path, "psnr,late", 1, forgets=("late",))
    found: list[TrialRecord] = networks(run)
    assert {record.state for record in found} == {FAILED}
    assert found[0].reason == "no figure of the objective late at the end of its training"
