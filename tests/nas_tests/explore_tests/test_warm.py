"""Warm starts: fronts of earlier runs, found again in this search's space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nas.explore.events import Event, SearchStarted
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.warm import point_of
from nas.latency.meter import Prices
from nas.records import FINISHED
from nas.run import Run
from search_spaces import Space
from search_spaces.errors import InputError
from tests.nas_tests.explore_tests.made_up import MadeUp

TINY = Space.load("tiny")


def search(folder: Path, trials: int, events: list[Event] | None = None, **more: Any) -> Run:
    options: dict[str, Any] = {"space": "tiny", "profile": "smoke", "sampler": "random"}
    budgets = more.pop("budgets", ["40K-params"])
    settings = make_settings(budgets, trials=trials, run=folder, **options | more)
    observer = events.append if events is not None else None
    return run_search(settings, observer, trainer=MadeUp(), meter=Prices(settings.budget))


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return search(tmp_path_factory.mktemp("warm") / "earlier", 8)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("channels", [8, 12, 24])
def test_every_point_is_found_again(scale: int, channels: int) -> None:
    for labels in list(TINY.combinations())[::3]:
        point = {**labels, "blocks": 2, "channels": channels}
        arch = TINY.architecture(point, scale)
        found = point_of(TINY, arch, labels)
        assert found is not None
        assert TINY.architecture(found, scale) == arch
        # Without the choices, too.
        again = point_of(TINY, arch)
        assert again is not None
        assert TINY.architecture(again, scale) == arch


def test_what_the_space_cannot_build_is_not_found() -> None:
    default = Space.load("distillation")
    arch = default.architecture(default.starting_points["rfdn"])
    assert point_of(TINY, arch) is None


def test_the_front_comes_first(earlier: Run, tmp_path: Path) -> None:
    events: list[Event] = []
    front = earlier.front_records()
    run = search(tmp_path, len(front) + 2, events, warm_start=[earlier.folder], seed=3)
    records = run.records()
    for record, source in zip(records, front, strict=False):
        assert record.source == f"run:earlier/{source.number}"
        assert record.architecture_hash == source.architecture_hash
        assert record.state == FINISHED
    assert {r.source for r in records[len(front) :]} == {"sampler"}
    started = events[0]
    assert isinstance(started, SearchStarted)
    assert started.notes == ()


def test_the_same_command_again_queues_nothing_twice(earlier: Run, tmp_path: Path) -> None:
    search(tmp_path, 1, warm_start=[earlier.folder])
    run = search(tmp_path, len(earlier.front_records()) + 1, warm_start=[earlier.folder])
    sources = [r.source for r in run.records() if r.source != "sampler"]
    assert len(sources) == len(set(sources)) == len(earlier.front_records())


def test_a_search_under_way_takes_them_next(earlier: Run, tmp_path: Path) -> None:
    search(tmp_path, 2, seed=5)
    run = search(tmp_path, 3, seed=5, warm_start=[earlier.folder])
    later = [r.source for r in run.records()[2:]]
    assert later[0].startswith("run:earlier/")


class Lacking:
    """Stands for architectures where a file of parts was not given with --import."""

    @staticmethod
    def from_dict(plain: Any) -> Any:
        raise InputError("unknown block 'mine'; one of your own comes with --import FILE.py")


def test_those_that_could_not_be_built_come_once_they_can(
    earlier: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    with monkeypatch.context() as without:
        without.setattr("nas.explore.warm.Architecture", Lacking)
        search(tmp_path, 1, events, warm_start=[earlier.folder])
    started = events[0]
    assert isinstance(started, SearchStarted)
    assert all("is left out: unknown block 'mine'" in note for note in started.notes)
    run = search(tmp_path, 2, warm_start=[earlier.folder])
    assert [r.source.startswith("run:earlier/") for r in run.records()] == [False, True]


def test_those_over_the_budget_are_left_out_with_a_note(earlier: Run, tmp_path: Path) -> None:
    events: list[Event] = []
    costs = sorted(r.params or 0 for r in earlier.front_records())
    budget = f"{costs[0] + 1}-params"
    run = search(tmp_path, 2, events, warm_start=[earlier.folder], budgets=[budget])
    started = events[0]
    assert isinstance(started, SearchStarted)
    assert len(started.notes) == len(costs) - 1
    assert all("is left out: over the budget for params" in note for note in started.notes)
    assert sum(r.source.startswith("run:") for r in run.records()) == 1


def test_another_scale_takes_the_same_networks(earlier: Run, tmp_path: Path) -> None:
    run = search(tmp_path, 1, warm_start=[earlier.folder], scale=2)
    (record,) = run.records()
    first = earlier.front_records()[0]
    assert record.source == f"run:earlier/{first.number}"
    assert record.architecture == {**first.architecture, "scale": 2}


def test_another_space_notes_what_it_cannot_build(earlier: Run, tmp_path: Path) -> None:
    events: list[Event] = []
    few = Space.from_dict(
        {
            "name": "few",
            "dimensions": {"channels": {"fill": {"low": 8, "high": 12}}},
            "architecture": {
                "channels": "$channels",
                "blocks": [{"kind": "distillation", "stages": 4, "distillation": "none"}],
            },
        }
    )
    search(tmp_path, 1, events, warm_start=[earlier.folder], space=few)
    started = events[0]
    assert isinstance(started, SearchStarted)
    assert started.notes
    assert all(note.endswith("is left out: not in space 'few'") for note in started.notes)


def test_bad_folders(earlier: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run is there"):
        search(tmp_path / "run", 1, warm_start=[tmp_path / "nowhere"])
    with pytest.raises(InputError, match="is this run itself; give an earlier one"):
        search(earlier.folder, 9, warm_start=[earlier.folder])
