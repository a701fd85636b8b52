"""Searches that die where a random kill seldom lands, and go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nas
from nas.records import FINISHED, INTERRUPTED, REJECTED
from nas.run import Run
from search_spaces import Space
from search_spaces.space import Point
from tests.nas_tests.explore_tests.ended import check_ended
from tests.nas_tests.explore_tests.small import SMALL


def crash(folder: Path, where: str, **settings: Any) -> None:
    class Died(BaseException):
        pass

    def die(*args: Any, **more: Any) -> Any:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, die)
        with pytest.raises(Died):
            nas.search(run=folder, trials=1, **SMALL | settings)


@pytest.mark.parametrize(
    "where",
    [
        "nas.explore.plan.begin",
        "search_spaces.space.Space.fill",
        "nas.explore.plan.Job.write",
        "nas.latency.meter.Meter.measure",
        "nas.explore.trainer.NetworkTrainer.advance",
        "nas.explore.trainer.save_weights",
        "optuna.study.Study.tell",
        "nas.explore.worker.write_tables",
        "nas.explore.trainer.NetworkTrainer.forget",
    ],
)
def test_the_search_goes_on(where: str, whole: Run, tmp_path: Path) -> None:
    crash(tmp_path / "run", where)
    run = nas.search(run=tmp_path / "run", trials=1, **SMALL)
    records = check_ended(tmp_path / "run", 1)
    assert {r.state for r in records} <= {FINISHED, INTERRUPTED, REJECTED}
    assert list(run.finished()["psnr_y_db"]) == list(whole.finished()["psnr_y_db"][:1])


@pytest.mark.parametrize("where", ["nas.explore.plan.claim", "search_spaces.space.Space.fill"])
def test_a_published_system_is_not_lost(where: str, tmp_path: Path) -> None:
    tiny = Space.load("tiny")
    point: Point = {"family": "none", "attention": "none", "blocks": 1, "channels": 8}
    space = Space(tiny.name, tiny.about, tiny.dimensions, tiny.template, {"little": point})
    crash(tmp_path, where, space=space)
    run = nas.search(run=tmp_path, trials=1, **SMALL | {"space": space})
    (row,) = run.finished().to_dict("records")
    assert row["source"] == "start:little"
    assert row["architecture_hash"] == space.architecture(point, 4).hash


def test_half_made_study_is_made_again(tmp_path: Path) -> None:
    crash(tmp_path, "nas.explore.context.fixed_parameters", space="distillation")
    run = nas.search(run=tmp_path, trials=1, **SMALL)
    assert len(run.finished()) == 1
