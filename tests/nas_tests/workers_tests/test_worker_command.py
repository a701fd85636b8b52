"""``nas worker``: joins what another machine has begun, or says in one line why it cannot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from PIL import Image

import nas
from benchmarks.postgres import Server
from nas.records import FINISHED
from nas.store.study import open_storage
from search_spaces import load
from tests.nas_tests.conftest import TINY, Outcome, new_name

Command = Callable[..., Outcome]
OPTIONS = (*TINY, "--latency-size", "8x8", "--device", "cpu")


def one_line(outcome: Outcome, *told: str) -> None:
    assert outcome.code == 2
    assert outcome.err.startswith("nas: ")
    assert outcome.err.count("\n") == 1, outcome.err
    for text in told:
        assert text in outcome.err
    assert "secret" not in outcome.err


def made(command: Command, run: Path, database: str, *options: str) -> None:
    """A study for two networks that nobody works on yet."""
    outcome = command(
        "search", *OPTIONS, "--trials", 2, "--workers", 0, "--run", run, "--storage", database,
        *options,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert outcome.out == (f"The study is there; on every machine: nas worker --study {run.name}\n")


def work(command: Command, run: Path, database: str, *options: object) -> Outcome:
    return command("worker", "--study", run.name, "--storage", database, "--json", *options)


def change(database: str, name: str, key: str, value: Any) -> None:
    study = optuna.load_study(study_name=name, storage=open_storage(database))
    study.set_user_attr(key, value)


@pytest.fixture
def run(command: Command, database: str, tmp_path: Path) -> Path:
    """The run folder of a study that has been made."""
    folder = tmp_path / "run"
    made(command, folder, database)
    return folder


def test_works_on_what_is_there(command: Command, database: str, run: Path) -> None:
    outcome = work(command, run, database)
    assert (outcome.code, outcome.err) == (0, "")
    assert '"goal reached"' in outcome.out
    records = nas.open_run(run, storage=database).records()
    assert sum(record.state == FINISHED for record in records) == 2
    # It shares the run folder, and so keeps its tables.
    load(run / "best.safetensors")
    assert not list(run.glob("checkpoints/*"))


def test_with_checkpoints_elsewhere(command: Command, database: str, tmp_path: Path) -> None:
    run, remote = tmp_path / "run", tmp_path / "remote"
    made(command, run, database, "--checkpoints", f"file://{remote}")
    shutil.move(run, tmp_path / "unseen")
    outcome = work(command, run, database)
    assert (outcome.code, outcome.err) == (0, "")
    assert not run.exists()
    assert {path.suffix for path in remote.glob("weights/*")} == {".safetensors"}
    assert not list(remote.glob("checkpoints/*"))
    # The machine that began the search fetches what its front needs.
    shutil.move(tmp_path / "unseen", run)
    made(command, run, database, "--checkpoints", f"file://{remote}")
    found = nas.open_run(run, storage=database)
    assert all(found.weights(record).exists() for record in found.front_records())
    load(run / "best.safetensors")


class TestBadInput:
    def test_no_server(self, command: Command, tmp_path: Path) -> None:
        url = "postgresql://me:secret@127.0.0.1:1/db"
        one_line(work(command, tmp_path / "run", url), "me:***@127.0.0.1:1", "cannot be opened")

    def test_no_such_database(self, command: Command, server: Server, tmp_path: Path) -> None:
        one_line(work(command, tmp_path / "run", server.url("nothing")), '"nothing" does not exist')

    def test_no_rights(self, command: Command, server: Server, database: str, run: Path) -> None:
        name = new_name()
        server.execute(f"CREATE USER {name} PASSWORD 'secret'")
        url = database.replace("//nas@", f"//{name}:secret@")
        one_line(work(command, run, url), "permission denied")

    def test_no_such_study(self, command: Command, database: str, run: Path) -> None:
        one_line(work(command, run.with_name("other"), database), "no study 'other', only: run")

    def test_a_study_of_somebody_else(self, command: Command, database: str, run: Path) -> None:
        optuna.create_study(storage=open_storage(database), study_name="foreign")
        outcome = work(command, run.with_name("foreign"), database)
        one_line(outcome, "'foreign' was not made by nas search")

    def test_another_version(self, command: Command, database: str, run: Path) -> None:
        study = optuna.load_study(study_name=run.name, storage=open_storage(database))
        text = study.user_attrs["nas_settings"]
        version = nas.explore.stored.our_version()
        changed = text.replace(f"version: {version}", "version: 99.0.0")
        assert changed != text
        change(database, run.name, "nas_settings", changed)
        one_line(work(command, run, database), "was made by nas-sr 99.0.0, this is ", "install")

    def test_another_space(self, command: Command, database: str, run: Path) -> None:
        study = optuna.load_study(study_name=run.name, storage=open_storage(database))
        identity = {**study.user_attrs["nas_identity"], "space_hash": "0" * 16}
        change(database, run.name, "nas_identity", identity)
        one_line(work(command, run, database), "searches a space with hash 0000000000000000")

    def test_other_photos(self, command: Command, database: str, run: Path, tmp_path: Path) -> None:
        photos = tmp_path / "photos"
        photos.mkdir()
        for k in range(3):
            Image.effect_noise((192, 192), 50 + k).convert("RGB").save(photos / f"{k}.png")
        outcome = work(command, run, database, "--data", photos)
        one_line(outcome, "trains on data embedded with fingerprint", "--data")

    def test_a_run_folder_that_is_not_shared(
        self, command: Command, database: str, run: Path
    ) -> None:
        shutil.move(run, run.with_name("elsewhere"))
        one_line(work(command, run, database), f"checkpoints {run}: the mark of study 'run' is not")

    def test_the_checkpoints_of_another_study(
        self, command: Command, database: str, run: Path
    ) -> None:
        (run / "nas-study").write_text("another")
        one_line(work(command, run, database), "'run' belongs to another study", "--checkpoints")

    def test_latency_of_another_machine(
        self, command: Command, database: str, tmp_path: Path
    ) -> None:
        run = tmp_path / "run"
        made(command, run, database, "--objectives", "psnr,latency")
        study = optuna.load_study(study_name=run.name, storage=open_storage(database))
        there = {**study.user_attrs["nas_places"], "device": "Abacus 3000"}
        change(database, run.name, "nas_places", there)
        one_line(work(command, run, database), "weighs latency on Abacus 3000, this is")


def test_a_store_that_is_not_there_stays_so(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "typo.db"
    one_line(command("worker", "--storage", f"sqlite:///{file}", "--study", "x"), "is not there")
    assert not file.exists()


def test_a_store_in_memory_cannot_be_shared(command: Command, tmp_path: Path) -> None:
    outcome = command("search", *OPTIONS, "--run", tmp_path / "run", "--storage", "sqlite://")
    one_line(outcome, "ends with its process")
