"""``nas export``: a trial's network as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import nas
from search_spaces import Architecture, build, load, save_weights
from tests.made_up_shipped import ship
from tests.nas_tests.conftest import TINY, Finished, Outcome

Command = Callable[..., Outcome]


def test_best_as_yaml(command: Command, finished: Finished, tmp_path: Path) -> None:
    outcome = command("export", finished.folder, "-o", tmp_path / "net.yaml")
    best = nas.open_run(finished.folder).best()
    assert best is not None
    assert outcome == (0, f"Trial {best.number} written to {tmp_path / 'net.yaml'}\n", "")
    assert Architecture.load(tmp_path / "net.yaml").hash == best.architecture_hash


def test_every_trial_as_yaml(command: Command, finished: Finished, tmp_path: Path) -> None:
    for record in nas.open_run(finished.folder).records():
        path = tmp_path / f"{record.number}.yml"
        assert command("export", finished.folder, "--trial", record.number, "-o", path).code == 0
        assert Architecture.load(path).hash == record.architecture_hash


def test_front_as_weights(command: Command, finished: Finished, tmp_path: Path) -> None:
    for record in nas.open_run(finished.folder).front_records():
        path = tmp_path / "deeper" / f"{record.number}.safetensors"
        assert command("export", finished.folder, "--trial", record.number, "-o", path).code == 0
        assert load(path).architecture.hash == record.architecture_hash


def test_best_as_a_folder(command: Command, finished: Finished, tmp_path: Path) -> None:
    place = tmp_path / "net"
    outcome = command("export", finished.folder, "-o", place, "--format", "folder")
    assert (outcome.code, outcome.err) == (0, "")
    best = nas.open_run(finished.folder).best()
    assert best is not None
    assert load(place).architecture.hash == best.architecture_hash
    told = (place / "README.md").read_text()
    assert f"trial {best.number} of the run, trained for {best.train_steps} steps" in told
    assert f"PSNR-Y {best.psnr_y_db:.3f} dB" in told


def test_what_ships_as_a_folder_that_says_what_its_card_says(
    command: Command, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", tmp_path / "shipped")
    ship(tmp_path / "shipped", "x4-told", load(finished.folder / "best.safetensors"))
    place = tmp_path / "net"
    outcome = command("export", "x4-told", "-o", place, "--format", "folder")
    assert (outcome.code, outcome.err) == (0, "")
    told = (place / "README.md").read_text()
    assert "- Training: 4 steps by the recipe smoke, seed 0, on squares (3 photos)\n" in told
    assert "licence MIT" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--trial", "99", "-o", "net.yaml"], "no trial '99'; expected best or one of 0, 1"),
        (["--trial", "worst", "-o", "net.yaml"], "no trial 'worst'"),
        (["-o", "net.txt"], "expected a name that ends in .yaml, .yml, .safetensors, .onnx"),
        (["-o", "net"], "expected a name that ends in .yaml, .yml, .safetensors, .onnx"),
        (["-o", "net.onnx", "--format", "yaml"], "is onnx by its name, but --format is yaml"),
        (["-o", "net", "--format", "jpeg"], "--format: expected yaml, safetensors, onnx"),
        ([], "Missing option '--output'"),
    ],
)
def test_bad_input(
    options: list[str], told: str, command: Command, finished: Finished, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    outcome = command("export", finished.folder, *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of 200 kB."""
    path = tmp_path_factory.mktemp("big") / "big.safetensors"
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    save_weights(
        build(Architecture.from_dict({"scale": 2, "channels": 48, "blocks": [block]})), path
    )
    return path


def test_output_that_cannot_be_written(
    command: Command, finished: Finished, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = command("export", finished.folder, "-o", tmp_path / "file" / "net.yaml")
    assert outcome.code == 2
    assert "cannot write" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.fixture
def full_disk() -> Iterator[None]:
    """From 20 kB on, no file grows: as of a full disk, the system then refuses to write."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that comes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "deep/net.pt"],
        ["-o", "deep/net.py"],
        ["-o", "deep/net.safetensors"],
        ["-o", "deep/net", "--format", "basicsr"],
        ["-o", "deep/net", "--format", "folder"],
    ],
    ids=str,
)
def test_a_full_disk_is_one_line(
    options: list[str], command: Command, big: Path, tmp_path: Path, full_disk: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    outcome = command("export", big, *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("nas: cannot write deep/net")
    assert ": File too large; " in outcome.err
    assert not list(tmp_path.iterdir())


def test_a_full_disk_keeps_what_stood_there(
    command: Command, big: Path, tmp_path: Path, full_disk: None
) -> None:
    for name in ("net.py", "net.pth", "net.pt"):
        (tmp_path / name).write_text("as before")
    for name in ("net.py", "net.pt"):
        assert command("export", big, "-o", tmp_path / name).code == 2
    assert {path.read_text() for path in tmp_path.iterdir()} == {"as before"}
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_in_the_files_place(command: Command, big: Path, tmp_path: Path) -> None:
    for name in ("net.pt", "net.yaml", "net.onnx"):
        (tmp_path / name).mkdir()
        outcome = command("export", big, "-o", tmp_path / name)
        assert (outcome.code, outcome.err) == (
            2,
            f"nas: --output: expected the name of a file to write, got the folder "
            f"{tmp_path / name}\n",
        )
    outcome = command("export", big, "-o", "", "--format", "yaml")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "expected the name of a file to write, got the folder ." in outcome.err


def test_weights_that_were_not_kept(command: Command, finished: Finished, tmp_path: Path) -> None:
    run = nas.open_run(finished.folder)
    dominated = set(run.finished()["number"]) - set(run.front()["number"])
    for number in dominated:
        path = tmp_path / "net.safetensors"
        outcome = command("export", finished.folder, "--trial", number, "-o", path)
        assert outcome.code == 2
        assert "its weights were not kept" in outcome.err


def test_no_run_and_nothing_finished(command: Command, tmp_path: Path) -> None:
    outcome = command("export", tmp_path, "-o", tmp_path / "net.yaml")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "no run is there" in outcome.err
    folder = tmp_path / "run"
    command("search", *TINY, "--timeout", "0.001s", "--run", folder)
    outcome = command("export", folder, "-o", tmp_path / "net.yaml")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "no trial has finished; run its search first" in outcome.err


def test_graphs_from_a_run_and_from_a_file(
    command: Command, finished: Finished, tmp_path: Path
) -> None:
    net = tmp_path / "net.safetensors"
    assert command("export", finished.folder, "-o", net).code == 0
    outcome = command("export", net, "-o", tmp_path / "graph", "--format", "torchscript")
    assert outcome.code == 0
    assert "differs from the network by" in outcome.out
    assert (tmp_path / "graph").stat().st_size > 0
    assert command("export", net, "-o", tmp_path / "again.yaml").code == 0
    assert Architecture.load(tmp_path / "again.yaml").hash == load(net).architecture.hash
    outcome = command("export", tmp_path / "again.yaml", "-o", tmp_path / "net.onnx")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "a config without weights" in outcome.err
