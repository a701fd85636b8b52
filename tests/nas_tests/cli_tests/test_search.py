"""``nas search`` as a user meets it: good and bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import nas
from nas.records import FINISHED
from nas.store.leases.folder import FolderLease
from nas.store.study import open_storage
from tests.nas_tests.conftest import BUDGET, TINY, Finished, Outcome

Command = Callable[..., Outcome]


def one_line(outcome: Outcome, told: str) -> None:
    assert outcome.code == 2
    assert outcome.err.startswith("nas: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert told in outcome.err
    assert outcome.out == ""


BAD = [
    (["--budget", "600Q-params"], "budget '600Q-params': unit 'Q' does not fit params"),
    (["--budget", "0-params"], "expected more than zero, as in 600K-params"),
    (["--budget", "1K-params"], "no network of space 'tiny' at x4 fits; the smallest one takes"),
    (["--budget", "1M-macs"], "the smallest one takes"),
    (["--budget", "9K-params", "--budget", "20K-params"], "two budgets for params: 9K-params and"),
    (["--objectives", "psnr,beauty"], "objectives: unknown 'beauty'; expected some of psnr"),
    (["--sampler", "cmaes"], "sampler: expected one of tpe, nsga2, nsga3, gp, random"),
    (["--profile", "quik"], "profile must be one of smoke, quick, standard, full, got 'quik'"),
    (["--space", "tyni"], "unknown space 'tyni'; expected one of distillation, fast, fused, "),
    (["--space", "none.yaml"], "none.yaml: cannot be read"),
    (["--data", "nowhere"], "nowhere"),
    (["--val", "nowhere"], "nowhere"),
    (["--scale", "5"], "scale: expected 1, 2, 3 or 4, got 5"),
    (["--timeout", "soon"], "timeout 'soon': expected a time such as 90s, 5m or 2h"),
    (["--latency-size", "big"], "--latency-size: expected WIDTHxHEIGHT such as 320x180"),
    (["--latency-size", "0x9"], "--latency-size: expected WIDTHxHEIGHT"),
    (["--trials", "0"], "trials: expected at least 1, got 0"),
    (["--trials", "many"], "valid integer"),
    (["--rungs", "0"], "rungs: expected 1 to 64, got 0"),
    (["--eta", "1"], "eta: expected more than 1 and at most 1000, got 1"),
    (["--warm-start", "nowhere"], "nowhere: no run is there"),
    (["--seed", "-1"], "seed: expected at least 0"),
    (["--device", "abacus"], "abacus"),
    (["--storage", "nonsense"], "storage: expected a URL such as sqlite:///study.db"),
    (["--storage", "postgresql://me:secret@127.0.0.1:1/db"], "cannot be opened: "),
    (["--workers", "1000"], "workers: 1000 are more than this machine holds"),
    (["--workers", "-1"], "workers: expected at least 1, got -1"),
    (["--engine", "slurm"], "engine: expected one of local, ray, got 'slurm'"),
    (["--checkpoints", "gopher://x"], "checkpoints gopher://x: "),
    (["--storage", "sqlite:////proc/nothing/s.db"], "unable to open database file"),
    (["--tirals", "3"], "No such option: --tirals"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=[" ".join(o) for o, _ in BAD])
def test_bad_input_is_one_line(
    options: list[str], told: str, command: Command, tmp_path: Path
) -> None:
    outcome = command("search", *TINY, *options, "--run", tmp_path / "run")
    one_line(outcome, told)
    assert not list(tmp_path.iterdir())


def test_bad_input_in_a_process_of_its_own(process: Callable[..., Outcome], tmp_path: Path) -> None:
    one_line(process("search", "--budget", "600Q-params", cwd=tmp_path), "600Q-params")
    one_line(process("search", "--budget", "3K-params", cwd=tmp_path), "the smallest one takes")
    assert not list(tmp_path.iterdir())


def test_a_space_file_is_blamed_with_its_line(command: Command, tmp_path: Path) -> None:
    space = tmp_path / "my.yaml"
    space.write_text(
        "name: mine\ndimensions:\n  channels: {fill: {low: 8, hihg: 9}}\narchitecture: {}\n"
    )
    outcome = command("search", "--space", space, "--run", tmp_path / "run")
    one_line(outcome, f"{space}:3: channels: fill")
    space.write_text("name: mine\ndimensions: [\n")
    one_line(command("search", "--space", space, "--run", tmp_path / "run"), f"{space}:")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", ["nothing", "text", "broken"])
def test_a_folder_without_photos(content: str, command: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if content == "text":
        (data / "readme.txt").write_text("no image")
    elif content == "broken":
        for k in range(3):
            (data / f"{k}.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    outcome = command("search", *TINY, "--data", data, "--run", tmp_path / "run")
    one_line(outcome, str(data))
    assert not (tmp_path / "run" / "study.db").exists()


@pytest.mark.parametrize("place", ["file", "file/run"])
def test_a_run_folder_that_cannot_be_written(place: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = command("search", *TINY, "--run", tmp_path / place)
    one_line(outcome, "cannot write")
    assert "choose" in outcome.err
    assert (tmp_path / "file").read_text() == "in the way"


class TestExistingRun:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (["--space", "distillation", "--profile", "smoke"], "space tiny, not distillation"),
            (["--space", "tiny", "--profile", "quick"], "profile smoke, not quick"),
        ],
    )
    def test_of_another_search(
        self, options: list[str], told: str, command: Command, finished: Finished
    ) -> None:
        outcome = command("search", "--budget", BUDGET, *options, "--run", finished.folder)
        one_line(outcome, told)
        assert len(nas.open_run(finished.folder).finished()) == 4

    def test_of_other_data(self, command: Command, finished: Finished, tmp_path: Path) -> None:
        from PIL import Image

        for k in range(3):
            Image.effect_noise((96, 96), 50 + k).convert("RGB").save(tmp_path / f"{k}.png")
        outcome = command(
            "search", "--budget", BUDGET, *TINY, "--data", tmp_path, "--run", finished.folder
        )
        one_line(outcome, "was made with data embedded, not")

    @pytest.mark.parametrize("damage", ["study.db", "run.yaml"])
    def test_that_is_damaged(
        self, damage: str, command: Command, finished: Finished, tmp_path: Path
    ) -> None:
        folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
        (folder / damage).write_bytes(b"\xff\x00 no such thing" * 200)
        outcome = command("search", "--budget", BUDGET, *TINY, "--run", folder)
        if damage == "study.db":
            one_line(outcome, "file is not a database")
            assert (folder / "best.safetensors").exists()
        else:
            # It says nothing that the study does not know, so it is written anew.
            assert outcome.code == 0
            assert len(nas.open_run(folder).finished()) == 4


def test_summary_and_files(command: Command, tmp_path: Path) -> None:
    outcome = command("search", *TINY, "--trials", 1, "--run", tmp_path, "--latency-size", "16x16")
    assert outcome.code == 0
    for text in ("PSNR-Y", "1 finished", "pareto.png", "best.safetensors", "tiny space"):
        assert text in outcome.out
    assert "Stopped after 1 of 1 networks: goal reached" in outcome.err
    assert (tmp_path / "pareto.svg").exists()
    again = command("search", *TINY, "--trials", 1, "--run", tmp_path, "--latency-size", "16x16")
    assert again.code == 0
    assert "Going on: 1 networks are trained already" in again.err


def test_time_up_before_anything_finished(command: Command, tmp_path: Path) -> None:
    outcome = command("search", *TINY, "--timeout", "0.001s", "--run", tmp_path)
    assert outcome.code == 0
    assert "time is up" in outcome.err
    assert "no finished trial within the budgets" in outcome.out
    assert not [r for r in nas.open_run(tmp_path).records() if r.state == FINISHED]


def test_json_lines(command: Command, tmp_path: Path) -> None:
    options = ("--trials", 1, "--latency-size", "8x8", "--json")
    outcome = command("search", *TINY, *options, "--run", tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    events = [json.loads(line) for line in outcome.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds == ["SearchStarted", "TrialMeasuring", "TrialStarted", "TrialEnded", "SearchEnded"]
    assert events[3]["record"]["psnr_y_db"] == nas.open_run(tmp_path).records()[0].psnr_y_db
    assert events[3]["best"]["number"] == 0


def test_a_password_stays_with_the_user(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql+psycopg://me:secret@host/db"
    store = f"sqlite:///{tmp_path / 'study.db'}"
    monkeypatch.setattr("nas.explore.context.open_storage", lambda _: open_storage(store))
    monkeypatch.setattr(
        "nas.explore.search.take_lease",
        lambda storage, study, run, patient: FolderLease(run / "workers"),
    )
    monkeypatch.setattr("nas.run.Run.opened_storage", lambda self: open_storage(store))
    options = ("--trials", 1, "--latency-size", "8x8", "--storage", url)
    outcome = command("search", *TINY, *options, "--run", tmp_path / "run")
    assert outcome.code == 0
    text = (tmp_path / "run" / "run.yaml").read_text()
    assert "secret" not in text
    assert "me:***@host" in text
