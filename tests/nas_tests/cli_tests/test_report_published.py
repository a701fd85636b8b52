"""``nas report --published``: evaluated once, kept, drawn; and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nas.run import open_run
from search_spaces import load, save_weights
from tests.nas_tests.conftest import Finished

Command = Callable[..., Any]


@pytest.fixture
def drawn_run(finished: Finished, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.folder, tmp_path / "run"))


@pytest.fixture
def run(drawn_run: Path, no_pictures: None) -> Path:
    """A run of which nothing is evaluated."""
    return drawn_run


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "Set5"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        coarse.resize((48, 44), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def set5(images: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(images, tmp_path / "Set5"))


@pytest.fixture(scope="module")
def evaluated_once(
    finished: Finished, images: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    from nas.cli.report.evaluated import checked, write_published
    from nas.cli.report.summarize import summarize

    folder = Path(shutil.copytree(finished.folder, tmp_path_factory.mktemp("evaluated") / "run"))
    opened = open_run(folder)
    results, test_set = checked("Set5", f"Set5={images}", 4)
    write_published(opened, summarize(opened, opened.records()), results, test_set)
    return folder


@pytest.fixture
def evaluated(evaluated_once: Path, tmp_path: Path, no_pictures: None) -> Path:
    """A run whose front is evaluated on Set5."""
    return Path(shutil.copytree(evaluated_once, tmp_path / "run"))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the weights that were measured, as they are."""
    import nas.cli.report.evaluated as module

    names: list[str] = []
    measure = module._measure

    def noted(weights: Path, *rest: Any) -> tuple[float, float]:
        names.append(weights.stem)
        return measure(weights, *rest)

    monkeypatch.setattr(module, "_measure", noted)
    return names


def table(run: Path) -> list[dict[str, str]]:
    with (run / "evaluated" / "Set5.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def fronts(run: Path) -> list[str]:
    return sorted(str(record.number) for record in open_run(run).front_records())


def test_the_front_is_evaluated_kept_and_drawn(
    drawn_run: Path, set5: Path, command: Command, measured: list[str]
) -> None:
    run = drawn_run
    told = command("report", run, "--published", "set5", "--set", f"Set5={set5}", "--figures=pdf")
    assert told.code == 0, told.err
    assert sorted(measured) == fronts(run)
    assert f"Picture {run / 'pareto-Set5.png'}" in told.out
    with Image.open(run / "pareto-Set5.png") as image:
        assert image.width > 1600
    assert (run / "pareto-Set5.svg").read_text().startswith("<?xml")
    assert (run / "figures" / "published-Set5.pdf").is_file()
    assert "Among published results on Set5" in (run / "report.html").read_text("utf-8")
    rows = table(run)
    assert list(rows[0])[:4] == ["number", "architecture_hash", "psnr_y_db", "ssim_y"]
    hashes = {str(r.number): r.architecture_hash for r in open_run(run).front_records()}
    assert {row["number"]: row["architecture_hash"] for row in rows} == hashes
    assert len({row["images"] for row in rows}) == 1
    for row in rows:
        assert f"Set5  trial {row['number']:>3}  {float(row['psnr_y_db']):.3f} dB" in told.out


def test_the_figures_are_those_of_nas_evaluate(
    evaluated: Path, set5: Path, command: Command
) -> None:
    row = table(evaluated)[0]
    weights = evaluated / "weights" / f"{row['number']}.safetensors"
    told = command("evaluate", weights, "--set", f"Set5={set5}", "--json")
    (one,) = json.loads(told.out)["sets"]
    assert float(row["psnr_y_db"]) == pytest.approx(one["psnr_y_db"], abs=1e-9)
    assert float(row["ssim_y"]) == pytest.approx(one["ssim_y"], abs=1e-9)


def test_what_is_measured_is_not_measured_again(
    evaluated: Path, set5: Path, command: Command, measured: list[str]
) -> None:
    asked = ("report", evaluated, "--published", "Set5")
    before = table(evaluated)
    (evaluated / "pareto-Set5.png").unlink()
    assert command(*asked, "--set", f"Set5={set5}").code == 0
    # Without the folder it just draws.
    shutil.rmtree(set5)
    assert command(*asked).code == 0
    assert (evaluated / "pareto-Set5.png").is_file()
    assert measured == []
    assert table(evaluated) == before


def test_other_images_are_measured_anew(
    evaluated: Path, set5: Path, command: Command, measured: list[str]
) -> None:
    before = table(evaluated)
    (set5 / "b.png").unlink()
    assert command("report", evaluated, "--published", "Set5", "--set", f"Set5={set5}").code == 0
    assert sorted(measured) == fronts(evaluated)
    for old, new in zip(before, table(evaluated), strict=True):
        assert (old["number"], old["weights"]) == (new["number"], new["weights"])
        assert old["images"] != new["images"]
        assert old["psnr_y_db"] != new["psnr_y_db"]


def test_other_weights_are_measured_anew(
    evaluated: Path, set5: Path, command: Command, measured: list[str]
) -> None:
    number = fronts(evaluated)[0]
    weights = evaluated / "weights" / f"{number}.safetensors"
    network = load(weights)
    for parameter in network.parameters():
        parameter.data.mul_(0.5)
    save_weights(network, weights)
    assert command("report", evaluated, "--published", "Set5", "--set", f"Set5={set5}").code == 0
    assert measured == [number]


def test_a_stop_keeps_what_is_measured(
    run: Path, set5: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nas.cli.report.evaluated as module

    measure, calls = module._measure, list[Path]()

    def stopped(weights: Path, *rest: Any) -> tuple[float, float]:
        calls.append(weights)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(weights, *rest)

    assert len(fronts(run)) > 1
    monkeypatch.setattr(module, "_measure", stopped)
    asked = ("report", run, "--published", "Set5", "--set", f"Set5={set5}")
    assert command(*asked).code == 130
    assert len(table(run)) == 1
    assert command(*asked).code == 0
    assert sorted(path.stem for path in calls[:1] + calls[2:]) == fronts(run)


def test_without_a_folder_it_says_to_add_one(run: Path, command: Command) -> None:
    told = command("report", run, "--published", "Set5")
    assert (told.code, told.out) == (2, "")
    assert told.err.rstrip().endswith("is evaluated on Set5 yet; add --set Set5=FOLDER")
    assert told.err.count("\n") == 1
    assert not (run / "evaluated").exists()


def test_without_weights_there_is_nothing_to_evaluate(
    run: Path, set5: Path, command: Command
) -> None:
    shutil.rmtree(run / "weights")
    for more in ((), ("--set", f"Set5={set5}")):
        told = command("report", run, "--published", "Set5", *more)
        assert told.code == 2
        assert "the weights of its front are not kept" in told.err
        assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--published", "Set6"),
            "no published results for Set6 x4; there are some for Set5, Set14",
        ),
        (("--published", "aim 2020 test"), "PSNR on RGB"),
        (("--published", "Set5", "--set", "Set14=FOLDER"), "expected Set5=FOLDER"),
        (("--published", "Set5", "--set", "FOLDER"), "expected Set5=FOLDER"),
        (("--published", "Set5", "--set", "Set5=nowhere"), "nowhere: no such file or directory"),
        (("--set", "Set5=FOLDER"), "goes with --published"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...], message: str, run: Path, command: Command
) -> None:
    told = command("report", run, *arguments)
    assert (told.code, told.out) == (2, "")
    assert message in told.err
    assert told.err.count("\n") == 1


def test_a_damaged_table_is_one_line(run: Path, command: Command) -> None:
    (run / "evaluated").mkdir()
    (run / "evaluated" / "Set5.csv").write_text("number,psnr_y_db\n1,many\n")
    told = command("report", run, "--published", "Set5")
    assert told.code == 2
    assert "not a table of evaluated networks" in told.err
    assert told.err.count("\n") == 1


def test_a_page_tells_of_a_damaged_table(run: Path, command: Command) -> None:
    (run / "evaluated").mkdir()
    (run / "evaluated" / "Set5.csv").write_text("number,psnr_y_db\n1,many\n")
    assert command("report", run).code == 0
    page = (run / "report.html").read_text("utf-8")
    assert "The front on Set5 is left out" in page
    assert "not a table of evaluated networks" in page
