"""Trials that fail, and searches that are interrupted, in this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.evaluate.validate import Quality, validate
from nas.explore.events import Event, TrainingStep
from nas.explore.trainer import NetworkTrainer
from nas.records import FAILED, FINISHED, REJECTED, Rung, TrialRecord
from nas.run import Run
from nas.training.loop import Diverged
from nas.training.recipe import Recipe
from search_spaces import Architecture, Space
from tests.nas_tests.explore_tests.small import SMALL, bits


def test_a_network_that_diverges_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = NetworkTrainer.advance, list[str]()

    def first_diverges(self: NetworkTrainer, arch: Architecture, *args: Any, **more: Any) -> Rung:
        calls.append(arch.hash)
        if len(calls) == 1:
            raise Diverged("diverged: the loss is nan at step 3", 3, float("nan"))
        return real(self, arch, *args, **more)

    monkeypatch.setattr(NetworkTrainer, "advance", first_diverges)
    run = nas.search(trials=2, run=tmp_path, **SMALL)
    records = run.records()
    assert [r.state for r in records if r.state != REJECTED] == [FAILED, FINISHED]
    assert records[0].reason == "diverged: the loss is nan at step 3"
    assert records[0].psnr_y_db is None
    assert len(calls) == len(set(calls))
    again = nas.search(trials=2, run=tmp_path, **SMALL)
    assert bits(again) == bits(run)


def test_an_absurd_step_size_ends_every_trial_with_its_reason(tmp_path: Path) -> None:
    wild = Recipe(steps=40, batch=1, lr_size=8, learning_rate=1e18, warmup_steps=0, clip_norm=1e9)
    run = nas.search(space="tiny", recipe=wild, trials=2, run=tmp_path, latency_size=(8, 8))
    trained = [r for r in run.records() if r.state != REJECTED]
    assert [r.state for r in trained] == [FAILED, FAILED]
    assert all(r.reason.startswith("diverged: ") for r in trained)
    assert run.best() is None
    assert run.front().empty


def test_a_psnr_that_is_no_number_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **more: Any) -> Quality:
        return replace(validate(*args, **more), psnr_y_db=float("nan"))

    monkeypatch.setattr("nas.evaluate.validate.validate", unknown)
    run = nas.search(trials=1, run=tmp_path, **SMALL)
    assert [r.state for r in run.records()] == [FAILED]
    assert "nan dB" in run.records()[0].reason


def test_a_damaged_checkpoint_is_begun_anew(whole: Run, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, TrainingStep) and event.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nas.search(trials=1, run=tmp_path / "run", observer=stop, **SMALL)
    (checkpoint,) = (tmp_path / "run" / "checkpoints").iterdir()
    checkpoint.write_bytes(b"half a file")
    run = nas.search(trials=1, run=tmp_path / "run", **SMALL)
    assert bits(run)[-1][1:] == bits(whole)[0][1:]
    assert not checkpoint.exists()


@pytest.mark.parametrize("when", ["proposing", "training"])
def test_ctrl_c_keeps_what_is_done_and_redoes_the_rest(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = nas.search(trials=3, run=tmp_path / "whole", **SMALL)

    def stop(event: Event) -> None:
        if isinstance(event, TrainingStep) and (event.number, event.step) == (1, 5):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if when == "proposing":
            real, calls = Space.fill, list[int]()

            def fill(self: Space, *args: Any) -> Any:
                calls.append(1)
                if len(calls) == 2:
                    raise KeyboardInterrupt
                return real(self, *args)

            patch.setattr(Space, "fill", fill)
        with pytest.raises(KeyboardInterrupt):
            nas.search(trials=3, run=tmp_path / "run", observer=stop, **SMALL)
    states = [r.state for r in nas.open_run(tmp_path / "run").records()]
    assert states == [FINISHED, "interrupted"] if when == "training" else [FINISHED]
    checkpoints = list((tmp_path / "run").glob("checkpoints/*.pt"))
    assert len(checkpoints) == (1 if when == "training" else 0)
    run = nas.search(trials=3, run=tmp_path / "run", **SMALL)

    def by_network(records: list[TrialRecord]) -> list[tuple[str, str]]:
        done = [r for r in records if r.state == FINISHED]
        return [(r.architecture_hash, repr(r.psnr_y_db)) for r in done]

    assert by_network(run.records()) == by_network(whole.records())
    assert not list((tmp_path / "run").glob("checkpoints/*.pt"))
