"""Places that a user names, and whether they can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas.cli.targets import check_target, named_folders
from search_spaces.errors import InputError


def test_folders_have_a_name_of_their_own_or_a_given_one(tmp_path: Path) -> None:
    given = [str(tmp_path / "Set5"), "mine=some/where=else"]
    assert named_folders(given, "--set") == {
        "Set5": tmp_path / "Set5", "mine": Path("some/where=else"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["A="], "--set: expected FOLDER or NAME=FOLDER, got 'A='"),
        (["=here"], "got '=here'"),
        (["x/A", "A=y"], "--set: A is given twice; give each set its own name"),
    ],
)
def test_folders_without_a_name_or_with_that_of_another(given: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        named_folders(given, "--set")


@pytest.mark.parametrize("name", ["", "..", "."])
def test_a_folder_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--csv: expected the name of a file to write"):
        check_target(tmp_path / name, "--csv")
