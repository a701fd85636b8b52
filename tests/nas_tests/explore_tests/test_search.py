"""Whole searches in the tiny space, in this process."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import optuna
import pytest
import torch
from PIL import Image

import nas
from nas.cli.report.summarize import summarize
from nas.evaluate.validate import Quality, validate
from nas.explore.events import (
    Event,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    TrialMeasuring,
    TrialRejected,
    TrialStarted,
)
from nas.explore.study_settings import calibration_of, span_ms_of
from nas.explore.trainer import NetworkTrainer
from nas.latency.esr_score import Baseline, baseline_network
from nas.latency.meter import Meter
from nas.latency.possible import check_possible
from nas.records import DUPLICATE, FAILED, FINISHED, OVER_BUDGET, REJECTED, Rung, TrialRecord
from nas.run import Run
from nas.store.study import open_storage
from nas.training.loop import Diverged
from nas.training.recipe import Recipe
from search_spaces import Architecture, Space, folded, load, price
from search_spaces.errors import InputError
from search_spaces.smallest import descend, smallest
from tests.nas_tests.conftest import Finished
from tests.nas_tests.explore_tests.made_up import recorded

BLOCK = {"kind": "distillation", "stages": 2, "distillation": "none"}

SMALL: dict[str, Any] = {"space": "tiny", "profile": "smoke", "latency_size": (16, 16)}


def told(run: Run) -> list[tuple[int, str, str, str]]:
    """What has to be equal between two searches, to the last bit."""
    return [
        (r.number, r.architecture_hash, r.state, f"{r.psnr_y_db!r} {r.ssim_y!r}")
        for r in run.records()
    ]


def study_of(run: Run) -> optuna.Study:
    return optuna.load_study(study_name=run.about["study"], storage=open_storage(run.storage))


def ending(events: list[Event]) -> SearchEnded:
    last = events[-1]
    assert isinstance(last, SearchEnded)
    return last


class TestFinishedSearch:
    def test_every_file_is_there(self, finished: Finished) -> None:
        names = {path.name for path in finished.folder.iterdir()}
        assert {
            "study.db", "run.yaml", "trials.csv", "front.csv", "best.yaml", "best.safetensors",
            "pareto.png", "pareto.svg", "weights",
        } <= names  # fmt: skip
        assert not [name for name in names if name.startswith(".")]
        assert "workers" not in names
        assert not list((finished.folder / "checkpoints").glob("*"))

    def test_tables_hold_the_records(self, finished: Finished) -> None:
        run = nas.open_run(finished.folder)
        with (finished.folder / "trials.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        records = run.records()
        assert [int(row["number"]) for row in rows] == [r.number for r in records]
        for row, record in zip(rows, records, strict=True):
            assert row["state"] == record.state
            if record.state == FINISHED:
                assert float(row["psnr_y_db"]) == record.psnr_y_db
                assert int(row["params"]) == record.params
        with (finished.folder / "front.csv").open(newline="") as file:
            front = [int(row["number"]) for row in csv.DictReader(file)]
        assert front == [r.number for r in run.front_records()]

    def test_best_network_upscales(self, finished: Finished) -> None:
        run = nas.open_run(finished.folder)
        best = run.best()
        assert best is not None
        arch = Architecture.load(finished.folder / "best.yaml")
        network = load(finished.folder / "best.safetensors")
        assert arch.hash == network.architecture.hash == best.architecture_hash
        with torch.inference_mode():
            upscaled = network(torch.rand(1, 3, 5, 7))
        assert upscaled.shape == (1, 3, 20, 28)
        assert upscaled.isfinite().all()

    def test_pictures_open(self, finished: Finished) -> None:
        with Image.open(finished.folder / "pareto.png") as image:
            image.load()
            assert min(image.size) > 400
        root = ElementTree.parse(finished.folder / "pareto.svg").getroot()
        assert root.tag.endswith("svg")

    def test_records_are_complete(self, finished: Finished) -> None:
        for record in nas.open_run(finished.folder).records():
            if record.state != FINISHED:
                continue
            arch = Architecture.from_dict(dict(record.architecture))
            priced = price(arch)
            assert record.architecture_hash == arch.hash
            assert (record.params, record.macs, record.activations) == (
                priced.params, priced.macs, priced.activations,
            )  # fmt: skip
            assert record.source == "sampler"
            assert record.memory_mb is not None
            assert record.memory_mb > 0
            assert record.latency_ms is not None
            assert record.latency_min_ms is not None
            assert 0 < record.latency_min_ms <= record.latency_ms
            assert record.psnr_y_db is not None
            assert 20 < record.psnr_y_db < 50
            assert record.ssim_y is not None
            assert 0 < record.ssim_y < 1
            assert record.train_steps == 12
            assert record.train_seconds is not None
            made = record.made_with
            assert (made["profile"], made["space"], made["data"]) == ("smoke", "tiny", "embedded")
            assert (made["sampler"], made["seed"], made["recipe"]["steps"]) == ("tpe", 5, 12)
            assert made["latency"]["threads"] == 1
            assert made["latency"]["lr_size"] == [90, 160]
            assert "torch" in json.dumps(made["environment"])

    def test_frames(self, finished: Finished) -> None:
        run = nas.open_run(finished.folder)
        assert len(run.finished()) == 4
        front = run.front()
        assert 1 <= len(front) <= 4
        assert list(front["psnr_y_db"]) == sorted(front["psnr_y_db"], reverse=True)
        assert set(front["number"]) <= set(run.finished()["number"])

    def test_no_network_is_over_the_budget_or_trained_twice(self, finished: Finished) -> None:
        frame = nas.open_run(finished.folder).finished()
        assert (frame["params"] <= 30_000).all()
        assert frame["architecture_hash"].is_unique

    def test_events_tell_the_story(self, finished: Finished) -> None:
        events = finished.events
        first = events[0]
        assert isinstance(first, SearchStarted)
        assert (first.goal, first.trained, first.steps, first.device) == (4, 0, 12, "cpu")
        assert ending(events) == SearchEnded("goal reached", 4, 4)
        started = [e.record.number for e in events if isinstance(e, TrialStarted)]
        ended = [e for e in events if isinstance(e, TrialEnded)]
        assert started == [e.record.number for e in ended]
        assert [e.trained for e in ended] == [1, 2, 3, 4]
        steps = [e.step for e in events if isinstance(e, TrainingStep) and e.number == started[0]]
        assert steps == list(range(1, 13))

    def test_study_is_a_plain_one_of_optuna(self, finished: Finished) -> None:
        study = study_of(nas.open_run(finished.folder))
        assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
        assert study.metric_names == ["psnr", "params"]
        assert len(study.best_trials) == len(nas.open_run(finished.folder).front())


class TestAgain:
    def test_same_seed_same_bits_and_going_on_changes_nothing(self, tmp_path: Path) -> None:
        whole = nas.search(trials=4, run=tmp_path / "whole", **SMALL)
        parts = nas.search(trials=2, run=tmp_path / "parts", **SMALL)
        first = told(parts)
        parts = nas.search(trials=4, run=tmp_path / "parts", **SMALL)
        assert told(parts)[: len(first)] == first
        assert told(parts) == told(whole)
        assert len(whole.finished()) == 4

    def test_another_seed_other_trials(self, tmp_path: Path) -> None:
        one, two = (nas.search(trials=2, seed=s, run=tmp_path / str(s), **SMALL) for s in (0, 1))
        assert told(one) != told(two)

    def test_nothing_to_do(self, tmp_path: Path) -> None:
        events: list[Event] = []
        nas.search(trials=1, run=tmp_path, **SMALL)
        nas.search(trials=1, run=tmp_path, observer=events.append, **SMALL)
        assert [type(e).__name__ for e in events] == ["SearchStarted", "SearchEnded"]

    def test_store_elsewhere(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
        run = nas.search(trials=1, run=tmp_path / "run", storage=url, **SMALL)
        assert not (tmp_path / "run" / "study.db").exists()
        opened = nas.open_run(tmp_path / "run", storage=url)
        assert len(opened.finished()) == len(run.finished()) == 1


class TestSettings:
    @pytest.mark.parametrize(
        ("sampler", "trials"),
        [("tpe", 10), ("nsga2", 3), ("nsga3", 3), ("gp", 10), ("random", 3)],
    )
    def test_samplers(self, sampler: str, trials: int, tmp_path: Path) -> None:
        # TPE and GP begin to model at the ninth trial.
        recipe = Recipe(steps=1, warmup_steps=0, batch=1, lr_size=8)
        settings = {**SMALL, "profile": "quick", "recipe": recipe}
        run = nas.search(["40K-params"], sampler=sampler, trials=trials, run=tmp_path, **settings)
        assert len(run.finished()) == trials
        assert run.finished()["params"].max() <= 40_000

    def test_objectives(self, tmp_path: Path) -> None:
        objectives = ("psnr", "ssim", "macs", "latency")
        run = nas.search(objectives=objectives, trials=2, run=tmp_path, **SMALL)
        trial = study_of(run).best_trials[0]
        record = run.records()[trial.number]
        assert trial.values == [
            record.psnr_y_db, record.ssim_y, record.macs, record.latency_ms
        ]  # fmt: skip

    def test_tight_budget(self, tmp_path: Path) -> None:
        tiny = Space.load("tiny")
        least = price(tiny.architecture(smallest(tiny, lambda arch: price(arch).params, 4))).params
        run = nas.search([f"{least + 200}-params"], trials=2, run=tmp_path, **SMALL)
        assert (run.finished()["params"] <= least + 200).all()
        assert len(run.finished()) >= 1

    def test_timeout(self, tmp_path: Path) -> None:
        events: list[Event] = []
        run = nas.search(trials=500, timeout=0.5, run=tmp_path, observer=events.append, **SMALL)
        assert ending(events).reason == "time is up"
        assert len(run.finished()) < 100

    def test_scale_and_folder_of_photos(self, tmp_path: Path) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        for k in range(3):
            noise = torch.randint(0, 256, (80, 96, 3), dtype=torch.uint8)
            Image.fromarray(noise.numpy()).save(photos / f"{k}.png")
        (photos / "broken.png").write_bytes(b"no image")
        events: list[Event] = []
        run = nas.search(
            trials=1, scale=2, data=photos, run=tmp_path / "run", observer=events.append, **SMALL
        )
        started = events[0]
        assert isinstance(started, SearchStarted)
        assert sum(started.skipped.values()) == 1
        assert (started.train_photos, started.validation_photos) == (2, 1)
        assert run.records()[0].made_with["data"] == "photos"


class TestLatencyBudget:
    def test_every_trained_network_was_measured_within_it(self, tmp_path: Path) -> None:
        meter = Meter((), (720, 1280), (16, 16), "cpu")
        tiny = Space.load("tiny")
        check_possible(meter, tiny, 4)
        for arch in meter.latency_guess.calibration(tiny, 4):
            meter.measure(arch)
        small = descend(tiny, lambda arch: meter.figure(arch, "latency"), 4)
        least_ms = meter.figure(tiny.architecture(small), "latency")
        budget = f"{least_ms * 2:.3f}ms-latency"
        run = nas.search([budget], trials=3, timeout=10, run=tmp_path, **SMALL)
        assert len(run.finished()) >= 1
        assert (run.finished()["latency_ms"] <= run.budgets["latency_ms"]).all()

    def test_a_generous_one_keeps_nothing_out(self, tmp_path: Path) -> None:
        events: list[Event] = []
        run = nas.search(
            ["10s-latency"], trials=2, run=tmp_path, threads=2, observer=events.append, **SMALL
        )
        assert run.objectives == ("psnr", "latency")
        assert {r.state for r in run.records()} == {FINISHED}
        assert all(set(t.constraints) == {"latency"} for t in study_of(run).trials)
        # Workers of the study need not measure these again.
        calibration = calibration_of(study_of(run))
        assert len(calibration) == 10
        assert min(calibration) > 0
        assert [e.over for e in events if isinstance(e, TrialMeasuring)] == [0, 0]
        # One number everywhere: screen, run.yaml, records and reports.
        (started,) = [one for one in events if isinstance(one, SearchStarted)]
        assert started.latency == "16×16 input, cpu, 2 threads"
        assert run.about["identity"]["latency_threads"] == 2
        assert {r.made_with["latency"]["threads"] for r in run.records()} == {2}
        assert summarize(run, run.records()).latency_at == started.latency
        with pytest.raises(InputError, match="was made with latency threads 2, not 1; go on with"):
            nas.search(["10s-latency"], trials=2, run=tmp_path, threads=1, **SMALL)

    def test_the_challenges_score_is_by_one_span_for_all_starts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scored: dict[str, Any] = {"objectives": "psnr,esr_score", "run": tmp_path, **SMALL}
        nas.search("1G-params", trials=1, **scored)
        run = nas.search("1G-params", trials=2, **scored)
        kept = span_ms_of(study_of(run))
        assert list(kept) == [3]
        for record in run.records():
            assert record.made_with["latency"]["span_ms"] == kept[3]
            arch = folded(Architecture.from_dict(record.architecture))
            score = Baseline(baseline_network(4, 3), kept[3]).score(arch, record.latency_ms or 0)
            assert record.esr_score == pytest.approx(score.score, abs=1e-3)
        assert run.about["identity"]["latency_threads"] == torch.get_num_threads()
        assert "esr_score" in run.front().columns

    def test_one_that_predictions_never_meet_is_said_to_be_in_the_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("nas.explore.worker._MOST_BARREN", 3)
        monkeypatch.setattr(Meter, "fits", lambda self, arch: False)
        run = recorded(tmp_path, 2, events=(events := list[Event]()))
        assert run.finished().empty
        told = "3 of 3 proposals are over a budget: raise it or take another space"
        assert ending(events).reason == told

    def test_one_measured_over_it_is_not_trained(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, calls = Meter.measure, list[str]()

        def measure(self: Meter, arch: Architecture) -> Any:
            figures = real(self, arch)
            calls.append(arch.hash)
            # Ten are measured to calibrate, one to check the budget; the first proposal is slow.
            return replace(figures, latency_ms=20_000.0) if len(calls) == 12 else figures

        monkeypatch.setattr(Meter, "measure", measure)
        events: list[Event] = []
        run = nas.search(["10s-latency"], trials=1, run=tmp_path, observer=events.append, **SMALL)
        rejected, trained = run.records()
        assert (rejected.state, rejected.reason) == (REJECTED, OVER_BUDGET)
        assert trained.state == FINISHED
        slow = study_of(run).trials[0]
        assert slow.state.name == "PRUNED"
        assert slow.constraints == {"latency": 1.0}
        assert len([e for e in events if isinstance(e, TrialRejected)]) == 1
        assert [e.over for e in events if isinstance(e, TrialMeasuring)] == [0, 1]


class TestFailures:
    def test_a_network_that_diverges_fails_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, calls = NetworkTrainer.advance, list[str]()

        def first_diverges(
            self: NetworkTrainer, arch: Architecture, *args: Any, **more: Any
        ) -> Rung:
            calls.append(arch.hash)
            if len(calls) == 1:
                raise Diverged("diverged: the loss is nan at step 3", 3, float("nan"))
            return real(self, arch, *args, **more)

        monkeypatch.setattr(NetworkTrainer, "advance", first_diverges)
        run = nas.search(trials=3, run=tmp_path, **SMALL)
        records = run.records()
        assert [r.state for r in records if r.state != REJECTED] == [FAILED, FINISHED, FINISHED]
        assert records[0].reason == "diverged: the loss is nan at step 3"
        assert records[0].psnr_y_db is None
        assert len(calls) == len(set(calls))
        again = nas.search(trials=3, run=tmp_path, **SMALL)
        assert told(again) == told(run)

    def test_an_absurd_step_size_ends_every_trial_with_its_reason(self, tmp_path: Path) -> None:
        wild = Recipe(
            steps=40, batch=1, lr_size=8, learning_rate=1e18, warmup_steps=0, clip_norm=1e9
        )
        run = nas.search(space="tiny", recipe=wild, trials=2, run=tmp_path, latency_size=(8, 8))
        trained = [r for r in run.records() if r.state != REJECTED]
        assert [r.state for r in trained] == [FAILED, FAILED]
        assert all(r.reason.startswith("diverged: ") for r in trained)
        assert run.best() is None
        assert run.front().empty

    def test_a_psnr_that_is_no_number_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unknown(*args: Any, **more: Any) -> Quality:
            return replace(validate(*args, **more), psnr_y_db=float("nan"))

        monkeypatch.setattr("nas.evaluate.validate.validate", unknown)
        run = nas.search(trials=1, run=tmp_path, **SMALL)
        assert [r.state for r in run.records()] == [FAILED]
        assert "nan dB" in run.records()[0].reason

    def test_an_exhausted_space_ends_the_search(self, tmp_path: Path) -> None:
        one = Space.from_dict(
            {
                "name": "one",
                "dimensions": {"channels": {"fill": {"low": 8, "high": 8}}},
                "architecture": {
                    "channels": "$channels",
                    "blocks": [BLOCK],
                },
            }
        )
        events: list[Event] = []
        run = nas.search(trials=3, run=tmp_path, observer=events.append, **{**SMALL, "space": one})
        assert ending(events).trained == 1
        assert "exhausted" in ending(events).reason
        reasons = [r.reason for r in run.records() if r.state == REJECTED]
        assert set(reasons) == {DUPLICATE}

    def test_a_damaged_checkpoint_is_begun_anew(self, tmp_path: Path) -> None:
        whole = nas.search(trials=1, run=tmp_path / "whole", **SMALL)

        def stop(event: Event) -> None:
            if isinstance(event, TrainingStep) and event.step == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            nas.search(trials=1, run=tmp_path / "run", observer=stop, **SMALL)
        (checkpoint,) = (tmp_path / "run" / "checkpoints").iterdir()
        checkpoint.write_bytes(b"half a file")
        run = nas.search(trials=1, run=tmp_path / "run", **SMALL)
        assert told(run)[-1][1:] == told(whole)[-1][1:]
        assert not checkpoint.exists()

    @pytest.mark.parametrize("when", ["proposing", "training"])
    def test_ctrl_c_keeps_what_is_done_and_redoes_the_rest(
        self, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


class TestAnotherSearchInTheFolder:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"space": "distillation"}, "made with space tiny, not distillation"),
            ({"budgets": ["20K-params"]}, "budgets params"),
            ({"scale": 2}, "scale 4, not 2"),
            ({"profile": "quick"}, "profile smoke, not quick"),
            ({"objectives": "psnr,macs"}, "objectives"),
        ],
    )
    def test_is_refused(self, change: dict[str, Any], told: str, finished: Finished) -> None:
        before = (finished.folder / "run.yaml").read_bytes()
        settings = {"budgets": ["30K-params"], "space": "tiny", "profile": "smoke"} | change
        budgets = settings.pop("budgets")
        with pytest.raises(InputError) as caught:
            nas.search(budgets, run=finished.folder, **settings)
        assert told in str(caught.value)
        assert "choose another --run folder" in str(caught.value)
        assert (finished.folder / "run.yaml").read_bytes() == before
        assert len(nas.open_run(finished.folder).finished()) == 4
