"""A run folder whose study is gone: nothing in it is overwritten."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from nas.records import FINISHED
from search_spaces.errors import InputError, StoreError
from tests.nas_tests.explore_tests.made_up import kept, networks


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that is over."""
    return kept(tmp_path_factory.mktemp("over") / "run", 3).folder


@pytest.fixture
def folder(over: Path, tmp_path: Path) -> Path:
    """A copy of it, to do harm to."""
    return shutil.copytree(over, tmp_path / over.name)


def bytes_in(folder: Path) -> dict[str, bytes]:
    """What the files for people hold, by name."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.suffix != ".db"}


def delete(folder: Path) -> None:
    (folder / "study.db").unlink()


def empty(folder: Path) -> None:
    (folder / "study.db").write_bytes(b"")


def rename(folder: Path) -> None:
    with sqlite3.connect(folder / "study.db") as database:
        database.execute("UPDATE studies SET study_name = 'another'")
    database.close()


def drop_everything_but_tables_for_people(folder: Path) -> None:
    delete(folder)
    (folder / "run.yaml").unlink()


@pytest.mark.parametrize("lose", [delete, empty, rename, drop_everything_but_tables_for_people])
def test_a_lost_study_is_not_begun_anew(lose: Callable[[Path], None], folder: Path) -> None:
    lose(folder)
    before = bytes_in(folder)
    assert "trials.csv" in before
    with pytest.raises(InputError, match=r"would overwrite, but no study .* put that back, or"):
        kept(folder, 4)
    assert bytes_in(folder) == before


@pytest.mark.parametrize(
    "order",
    ["DELETE FROM trials WHERE number = 2", "UPDATE trials SET number = 7", "DROP TABLE trials"],
)
def test_lost_rows_are_not_taken_from_the_tables(order: str, folder: Path) -> None:
    with sqlite3.connect(folder / "study.db") as database:
        database.execute(order)
    database.close()
    before = bytes_in(folder)
    with pytest.raises(InputError, match=r"trials\.csv lists \d finished trials that its study d"):
        kept(folder, 4)
    assert bytes_in(folder) == before
    (folder / "trials.csv").rename(folder / "kept.csv")
    with suppress(InputError):  # Without its table, a study may be beyond help.
        kept(folder, 4)
    assert (folder / "kept.csv").read_bytes() == before["trials.csv"]


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE study_directions SET direction = 'MINIMIZE'",
        "DELETE FROM study_directions WHERE objective > 0",
    ],
)
def test_other_directions_than_the_objectives(order: str, folder: Path) -> None:
    with sqlite3.connect(folder / "study.db") as database:
        database.execute(order)
    database.close()
    with pytest.raises(InputError, match="its study is damaged: it has other directions than its"):
        kept(folder, 4)


def test_a_damaged_mark_of_the_study_changes_nothing(folder: Path) -> None:
    (folder / "nas-study").write_bytes(b"\xf0\xff")
    before = bytes_in(folder)
    with pytest.raises(StoreError, match=r"checkpoints .* cannot be read"):
        kept(folder, 4)
    assert bytes_in(folder) == before


def test_a_damaged_table_tells_of_nothing(folder: Path) -> None:
    (folder / "trials.csv").write_bytes(b"number,state\nx,finished\n")
    assert len(networks(kept(folder, 4))) == 4


def test_without_run_yaml_the_study_goes_on(folder: Path) -> None:
    (folder / "run.yaml").unlink()
    assert len(networks(kept(folder, 4))) == 4
    assert (folder / "run.yaml").exists()


def test_a_damaged_run_yaml_is_written_anew_where_its_study_is(folder: Path) -> None:
    (folder / "run.yaml").write_text("study: [")
    assert len(networks(kept(folder, 4))) == 4
    (folder / "run.yaml").write_text("study: [")
    delete(folder)
    with pytest.raises(InputError, match="which a search would overwrite"):
        kept(folder, 4)
    assert (folder / "run.yaml").read_text() == "study: ["


def test_a_renamed_folder_goes_on(folder: Path) -> None:
    moved = folder.rename(folder.with_name("moved"))
    run = kept(moved, 4)
    assert len([r for r in networks(run) if r.state == FINISHED]) >= 1
    assert len(networks(run)) == 4
    assert run.about["study"] == "run"


def test_another_store_than_the_folders_is_refused(folder: Path, tmp_path: Path) -> None:
    before = bytes_in(folder)
    with pytest.raises(InputError, match="its study is in the folder itself, not in sqlite"):
        kept(folder, 4, storage=f"sqlite:///{tmp_path / 'other.db'}")
    assert not (tmp_path / "other.db").exists()
    assert bytes_in(folder) == before


def test_a_store_that_is_left_out_is_asked_for(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'mine.db'}"
    folder = kept(tmp_path / "run", 3, storage=url).folder
    with pytest.raises(InputError, match=r"its study is in sqlite.*; name that with --storage"):
        kept(folder, 4)
    assert not (folder / "study.db").exists()
    assert len(networks(kept(folder, 4, storage=url))) == 4
    assert yaml.safe_load((folder / "run.yaml").read_text())["storage"] == url


def test_a_study_in_memory_does_not_come_back(tmp_path: Path) -> None:
    folder = kept(tmp_path / "run", 3, storage="memory").folder
    with pytest.raises(InputError, match=r"no study .* is in memory"):
        kept(folder, 4, storage="memory")
