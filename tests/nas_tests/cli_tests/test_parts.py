"""Files with parts of one's own: given, remembered by a run, and never run unasked."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.nas_tests.conftest import Finished, Outcome
from tests.tables import restored

Command = Callable[..., Outcome]

PART = """
from pathlib import Path
Path({mark!r}).touch()
"""


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """Is there once the code has been run."""
    return tmp_path / "was run"


@pytest.fixture
def mine(tmp_path: Path, mark: Path) -> Iterator[Path]:
    file = tmp_path / "my parts.py"
    file.write_text(PART.format(mark=str(mark)))
    with restored():
        yield file


@pytest.fixture
def run(finished: Finished, mine: Path, tmp_path: Path) -> Path:
    """A run whose search was given the file."""
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    about = yaml.safe_load((folder / "run.yaml").read_text())
    assert about["imports"] == []
    (folder / "run.yaml").write_text(yaml.safe_dump({**about, "imports": [str(mine)]}))
    return folder


def test_a_search_writes_down_what_it_was_given(
    command: Command, mine: Path, mark: Path, tmp_path: Path
) -> None:
    words = ("--space", "tiny", "--profile", "smoke", "--trials", 1, "--run", tmp_path / "new")
    assert command("search", *words, "--import", mine).code == 0
    assert mark.exists()
    assert yaml.safe_load((tmp_path / "new/run.yaml").read_text())["imports"] == [str(mine)]


@pytest.mark.parametrize(
    "words",
    [
        ("describe", "RUN"),
        ("describe", "RUN/best.yaml"),
        ("evaluate", "RUN/best.safetensors", "--set", "a=b"),
        ("search", "--run=RUN", "--trials", "9"),
        ("report", "RUN"),
        ("upscale", "a.png", "-o", "b.png", "--net", "RUN/weights/0.safetensors"),
    ],
)
def test_what_a_run_names_is_not_run_unasked(
    words: tuple[str, ...], command: Command, run: Path, mine: Path, mark: Path
) -> None:
    (run / "weights" / "0.safetensors").touch()
    outcome = command(*(word.replace("RUN", str(run)) for word in words))
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith(f"nas: {run} uses parts of {mine}, code that is not run unasked")
    assert f"repeat --import '{mine}', or give --trust" in outcome.err
    assert not mark.exists()


@pytest.mark.parametrize("more", [("--trust",), ("--import", "MINE"), ("--import", "MOVED")])
def test_it_is_run_where_the_user_says_so(
    more: tuple[str, ...], command: Command, run: Path, mine: Path, mark: Path
) -> None:
    moved = run.parent / "elsewhere" / mine.name
    moved.parent.mkdir()
    shutil.copy(mine, moved)
    given = [{"MINE": str(mine), "MOVED": str(moved)}.get(word, word) for word in more]
    outcome = command("describe", run, "--json", "--no-latency", *given)
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)["params"] > 0
    assert mark.exists()


def test_a_training_remembers_them_too(
    command: Command, run: Path, mine: Path, mark: Path, tmp_path: Path
) -> None:
    full = tmp_path / "full"
    words = ("train", run, "--run", full, "--recipe", "fast", "--steps", 2, "--patch", 48)
    assert command(*words, "--trust").code == 0
    assert yaml.safe_load((full / "train.yaml").read_text())["imports"] == [str(mine)]
    mark.unlink()
    outcome = command("describe", full / "best.safetensors", "--no-latency")
    assert outcome.err.startswith(f"nas: {full} uses parts of {mine}, code that is not run unasked")
    assert not mark.exists()


@pytest.mark.parametrize(("answer", "runs"), [("y\n", True), ("\n", False), ("n\n", False)])
def test_at_a_terminal_the_user_is_asked(
    answer: str, runs: bool, command: Command, run: Path, mine: Path, mark: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    outcome = command("describe", run, "--json", "--no-latency")
    assert f"{run} uses parts of {mine}. Run the code in there? [y/N] " in outcome.err
    assert (outcome.code == 0) is mark.exists() is runs
    assert (sys.argv[-2:] == ["--import", str(mine)]) is runs


def test_a_file_that_is_gone_is_named(command: Command, run: Path, mine: Path) -> None:
    mine.unlink()
    outcome = command("describe", run, "--trust")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert f"--import {mine}: no such file" in outcome.err


@pytest.mark.parametrize("told", ["a word", [3], {"a": 1}])
def test_what_is_no_list_of_files_is_refused(told: object, command: Command, run: Path) -> None:
    about = yaml.safe_load((run / "run.yaml").read_text())
    (run / "run.yaml").write_text(yaml.safe_dump({**about, "imports": told}))
    outcome = command("describe", run)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "imports" in outcome.err
