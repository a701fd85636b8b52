"""Whole searches in the tiny space, in this process: what they leave, and what comes again."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

import nas
from nas.explore.events import (
    Event,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    TrialStarted,
)
from nas.records import FINISHED
from nas.run import Run
from search_spaces import Architecture, load, price
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Finished
from tests.nas_tests.explore_tests.made_up import study_of
from tests.nas_tests.explore_tests.small import SMALL, bits, ending


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
    def test_same_seed_same_bits_and_going_on_changes_nothing(
        self, whole: Run, tmp_path: Path
    ) -> None:
        parts = nas.search(trials=2, run=tmp_path / "parts", **SMALL)
        first = bits(parts)
        parts = nas.search(trials=3, run=tmp_path / "parts", **SMALL)
        assert bits(parts)[: len(first)] == first
        assert bits(parts) == bits(whole)
        assert len(whole.finished()) == 3

    def test_another_seed_other_trials(self, whole: Run, tmp_path: Path) -> None:
        other = nas.search(trials=1, seed=1, run=tmp_path, **SMALL)
        assert [one[1:] for one in bits(other)] != [one[1:] for one in bits(whole)[:1]]

    def test_nothing_to_do(self, whole: Run, tmp_path: Path) -> None:
        events: list[Event] = []
        folder = shutil.copytree(whole.folder, tmp_path / whole.folder.name)
        nas.search(trials=3, run=folder, observer=events.append, **SMALL)
        assert [type(e).__name__ for e in events] == ["SearchStarted", "SearchEnded"]

    def test_store_elsewhere(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
        run = nas.search(trials=1, run=tmp_path / "run", storage=url, **SMALL)
        assert not (tmp_path / "run" / "study.db").exists()
        opened = nas.open_run(tmp_path / "run", storage=url)
        assert len(opened.finished()) == len(run.finished()) == 1


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
