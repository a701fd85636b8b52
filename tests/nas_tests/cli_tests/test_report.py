"""``nas report``: tables and pictures anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nas.records import INTERRUPTED, OVER_BUDGET, REJECTED, TrialRecord
from nas.run import Run
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.folder, tmp_path / "run"))


def test_files_come_back_as_they_were(command: Command, copied: Path) -> None:
    names = ("trials.csv", "front.csv", "best.yaml", "best.safetensors", "pareto.svg")
    before = {name: (copied / name).read_bytes() for name in names}
    for name in names:
        (copied / name).unlink()
    outcome = command("report", copied)
    assert (outcome.code, outcome.err) == (0, "")
    assert {name: (copied / name).read_bytes() for name in names} == before


def test_summary(command: Command, copied: Path) -> None:
    out = command("report", copied).out
    for text in ("4 finished", "4 of 4 fit the budgets (100.0%)", "30.0 K", "against bicubic"):
        assert text in out


def test_no_run(command: Command, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        outcome = command("report", folder)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert "no run is there (no run.yaml)" in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "told"),
    [("study.db", "file is not a database"), ("run.yaml", "run.yaml")],
)
def test_damaged_run(name: str, told: str, command: Command, copied: Path) -> None:
    (copied / name).write_bytes(b"\xff\x00 no such thing" * 200)
    outcome = command("report", copied)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
    assert (copied / "best.safetensors").exists()


def test_only_what_the_sampler_proposed_is_counted(finished: Finished) -> None:
    from nas.cli.report import summarize
    from nas.run import open_run

    run: Run = open_run(finished.folder)
    arch = {"scale": 4}
    more = [
        TrialRecord(10, REJECTED, architecture=arch, reason=OVER_BUDGET),
        TrialRecord(11, INTERRUPTED, architecture=arch),
        TrialRecord(12, INTERRUPTED),
        TrialRecord(13, REJECTED, source="preset:rfdn", architecture=arch, reason=OVER_BUDGET),
    ]
    summary = summarize(run, [*run.records(), *more])
    assert (summary.proposals, summary.proposals_fit, summary.duplicates) == (5, 4, 0)
