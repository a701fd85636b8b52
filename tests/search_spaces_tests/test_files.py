"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from search_spaces.errors import InputError
from search_spaces.files import atomic_path


def test_file_takes_its_place_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "net.yaml"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".yaml"
        assert temporary.name.startswith(".")
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_what_stood_there_stays_when_the_block_fails(tmp_path: Path) -> None:
    target = tmp_path / "net.yaml"
    target.write_text("before")
    with pytest.raises(OSError, match="No space"), atomic_path(target) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_names_the_file(number: int, tmp_path: Path) -> None:
    target = tmp_path / "new" / "deeper" / "net.yaml"
    with pytest.raises(OSError, match="of the system") as caught, atomic_path(target):
        raise OSError(number, "of the system")
    assert caught.value.filename == str(target)
    assert not list(tmp_path.iterdir())


def test_folders_made_for_it_stay_where_somebody_has_use_for_them(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deeper" / "net.yaml"
    with pytest.raises(ZeroDivisionError), atomic_path(target):  # noqa: PT012
        (tmp_path / "new" / "other").touch()
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "other"]
    (tmp_path / "there").mkdir()
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "there" / "net.yaml"):
        raise ZeroDivisionError
    assert (tmp_path / "there").is_dir()


def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*: Is a directory; choose the name of"):  # noqa: SIM117
        with atomic_path(tmp_path / "net.yaml"):
            pytest.fail("that is found out first")
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="File name too long"):  # noqa: SIM117
        with atomic_path(tmp_path / ("n" * 5_000)):
            pytest.fail("that is found out first")


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "net.yaml"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_it_has_the_rights_of_a_file_written_plainly(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "atomic") as temporary:
            temporary.write_text("x")
        (tmp_path / "plain").write_text("x")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("atomic", "plain")]
    assert modes == [0o640, 0o640]


@pytest.mark.parametrize("name", ["file/net.yaml", "file/deeper/net.yaml"])
def test_a_file_in_the_way(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write .*; choose a folder"):  # noqa: SIM117
        with atomic_path(tmp_path / name):
            pytest.fail("nothing can be written there")


def test_a_folder_that_takes_no_files() -> None:
    with pytest.raises(InputError, match="cannot write"), atomic_path("/proc/nothing/net.yaml"):
        pytest.fail("nothing can be written there")
