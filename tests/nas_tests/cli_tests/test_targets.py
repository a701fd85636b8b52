"""Places that a user names, and whether they can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image

from nas.cli.main import app
from nas.cli.targets import check_target, named_paths
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Outcome


def test_folders_have_a_name_of_their_own_or_a_given_one(tmp_path: Path) -> None:
    given = [str(tmp_path / "Set5"), "mine=some/where=else"]
    assert named_paths(given, "--set") == {
        "Set5": tmp_path / "Set5", "mine": Path("some/where=else"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["A="], "--set: expected FOLDER or NAME=FOLDER, got 'A='"),
        (["=here"], "got '=here'"),
        (["x/A", "A=y"], "--set: A is given twice; give each its own name"),
    ],
)
def test_folders_without_a_name_or_with_that_of_another(given: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        named_paths(given, "--set")


@pytest.mark.parametrize("name", ["", "..", "."])
def test_a_folder_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--csv: expected the name of a file to write"):
        check_target(tmp_path / name, "--csv", force=True)


WRITING = {"--output", "--csv", "--save"}


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Every command with its options."""
    if hasattr(group, "commands"):
        for name, one in group.commands.items():
            yield from commands(one, *path, name)
    else:
        yield path, {option for parameter in group.params for option in parameter.opts}


def test_every_command_that_writes_where_a_user_says_can_be_forced() -> None:
    writing = {
        path: options
        for path, options in commands(typer.main.get_command(app))
        if WRITING & options
    }
    assert len(writing) >= 11
    assert [path for path, options in writing.items() if "--force" not in options] == []


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("compress fold NET -o small.yaml", "small.yaml"),
        ("compress fold NET -o small", "small.safetensors"),
        ("compress prune NET --budget 70% -o small", "small.yaml"),
        ("compress distill rlfn --teacher NET -o small", "small.yaml"),
        ("compress auto NET --budget 70% -o small", "small.csv"),
        ("compress auto NET --budget 70% -o small", "small.onnx"),
        ("compress quantize NET -o small.onnx", "small.onnx"),
        ("export rlfn -o small.yaml", "small.yaml"),
        ("export NET -o small.py", "small.pth"),
        ("export NET -o small --format folder", "small/README.md"),
        ("export NET -o small --format basicsr", "small/anything"),
        ("import NET --preset rlfn -o small.safetensors", "small.safetensors"),
        ("latency fit -o small.yaml", "small.yaml"),
        ("evaluate bicubic --scale 2 --set S=photos --csv small.csv", "small.csv"),
        ("evaluate bicubic --scale 2 --set S=photos --save small", "small/S/one.png"),
        ("compare photos/one.png --net NET -o small.png", "small.png"),
        ("report RUN -o small", "small/report.html"),
        ("report RUN -o small", "small/figures/mine.png"),
    ],
)
def test_what_a_user_has_there_is_left_as_it_is(
    words: str, written: str, command: Callable[..., Outcome], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / written
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    if "RUN" in words:
        words = words.replace("RUN", str(request.getfixturevalue("finished").folder))
    if "photos" in words:
        (tmp_path / "photos").mkdir()
        Image.new("RGB", (16, 16)).save(tmp_path / "photos" / "one.png")
    before = sorted(tmp_path.rglob("*"))
    outcome = command(*words.split())
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "is there already" in outcome.err
    assert "--force to overwrite" in outcome.err
    assert mine.read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before
