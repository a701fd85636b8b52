"""``nas report``: tables and pictures anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import nas
from nas.noise import Noise, write_noise
from nas.records import INTERRUPTED, OVER_BUDGET, REJECTED, TrialRecord
from nas.run import Run
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.folder, tmp_path / "run"))


@pytest.mark.usefixtures("no_figures")
def test_files_come_back_as_they_were(command: Command, copied: Path) -> None:
    names = ("trials.csv", "front.csv", "best.yaml", "best.safetensors", "pareto.svg")
    before = {name: (copied / name).read_bytes() for name in names}
    for name in names:
        (copied / name).unlink()
    outcome = command("report", copied)
    assert (outcome.code, outcome.err) == (0, "")
    assert {name: (copied / name).read_bytes() for name in names} == before


@pytest.mark.usefixtures("no_pictures")
def test_summary(command: Command, copied: Path) -> None:
    out = command("report", copied).out
    for text in ("4 finished", "4 of 4 fit the budgets (100.0%)", "30.0 K", "against bicubic"):
        assert text in out


@pytest.mark.usefixtures("no_pictures")
def test_the_cheaper_of_those_alike(command: Command, copied: Path) -> None:
    # A noise in which all of a few steps' networks lie.
    write_noise(copied, Noise(9.0, 0.1, 0.1, "made up"))
    out = command("report", copied).out
    assert "within the noise of seeds (12.728 dB)" in out
    before = (copied / "best.yaml").read_text()
    aside = copied.parent / "page"
    assert command("report", copied, "--prefer", "cheaper", "-o", aside).code == 0
    assert (copied / "best.yaml").read_text() == before
    assert "within the noise of seeds" in (aside / "report.html").read_text()
    assert command("report", copied, "--prefer", "cheaper").code == 0
    run = nas.open_run(copied)
    cheapest = min(run.records(), key=lambda r: r.params or 0)
    assert run.best() == cheapest
    assert (copied / "best.yaml").read_text() != before
    outcome = command("report", copied, "--prefer", "dearer")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "expected better or cheaper, got 'dearer'" in outcome.err


def test_no_run(command: Command, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        outcome = command("report", folder)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert "no run is there (no run.yaml)" in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_pictures")
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
    from nas.cli.report.summarize import summarize
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


def test_writes_a_page_with_pictures_and_figures(
    command: Command, copied: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in copied.rglob("*.*") if path.suffix != ".db"}
    outcome = command(
        "report", copied, "-o", tmp_path / "out", "--figures", "pdf", "--width", "column"
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Page {tmp_path / 'out' / 'report.html'}" in outcome.out
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    # Two photos with their input, bicubic, four networks of the front at most, the original.
    assert page.count("data:image/png;base64,") >= 2 * 5
    assert "chelsea.png" in page
    assert (tmp_path / "out" / "figures" / "pareto.pdf").is_file()
    assert not (tmp_path / "out" / "figures" / "pareto.png").exists()
    after = {path: path.read_bytes() for path in copied.rglob("*.*") if path.suffix != ".db"}
    assert after == before, "with -o, the run folder stays as it is"


@pytest.mark.usefixtures("no_pictures")
def test_without_weights_the_page_says_what_is_missing(
    command: Command, copied: Path, tmp_path: Path
) -> None:
    shutil.rmtree(copied / "weights")
    (copied / "compressed").mkdir()
    (copied / "compressed" / "records.json").write_text("[{}]")
    assert command("report", copied, "-o", tmp_path / "out").code == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "the weights of the front are not in the run folder" in page
    assert "The compression path is left out" in page


def test_several_runs_of_which_one_is_broken(
    command: Command, copied: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(copied, tmp_path / "other")
    broken = tmp_path / "broken"
    several = ("report", copied, broken, other)
    outcome = command(*several, "-o", tmp_path / "out", "--figures", "png")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "left out of the report" in outcome.err
    assert "broken: no run is there" in outcome.err
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "broken: no run is there" in page
    assert 'id="tab-run-1"' in page
    assert (tmp_path / "out" / "figures" / "other" / "pareto.png").is_file()
    outcome = command("report", broken, tmp_path / "gone", "-o", tmp_path / "none")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("no_figures")
def test_a_run_without_a_finished_trial(
    command: Command, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "records", lambda run: [TrialRecord(0, REJECTED)])
    outcome = command("report", copied)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "no trial has finished yet" in outcome.err
    assert not (copied / "report.html").exists()


def test_an_output_that_cannot_be_written(command: Command, copied: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = command("report", copied, "-o", tmp_path / "file" / "out")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "cannot write" in outcome.err


@pytest.mark.parametrize("asked", [("--figures", "eps"), ("--width", "wide")])
def test_figures_of_a_kind_that_there_is_not(
    asked: tuple[str, str], command: Command, copied: Path
) -> None:
    outcome = command("report", copied, *asked)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert f"{asked[0]}: expected" in outcome.err
    assert not (copied / "report.html").exists()


def test_published_results_are_for_one_run(command: Command, copied: Path) -> None:
    outcome = command("report", copied, copied, "--published", "Set5")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "expected one run" in outcome.err
