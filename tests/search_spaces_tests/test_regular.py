"""Only regular files are read, and nobody is waited for."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from search_spaces.regular import check_regular, open_regular


def test_a_file_and_a_link_to_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        check_regular(tmp_path / name)
        with open_regular(str(tmp_path / name)) as file:
            assert file.read() == b"content"


def test_what_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A socket's name may have a hundred characters.
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("loop").symlink_to("loop")
    Path("link").symlink_to("pipe")
    said = {
        "pipe": "a named pipe, not a regular file",
        "link": "a named pipe, not a regular file",
        "socket": "a socket, not a regular file",
        "/dev/zero": "a device, not a regular file",
        ".": "Is a directory",
        "loop": "Too many levels of symbolic links",
        "none": "No such file or directory",
        "n" * 5_000: "File name too long",
    }
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
        for name, reason in said.items():
            for read in (check_regular, open_regular):
                with pytest.raises(OSError, match=r"\[Errno") as caught:
                    read(name)
                assert caught.value.strerror == reason
                assert caught.value.filename == name


def test_what_is_swapped_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"content")
    os.mkfifo(tmp_path / "pipe")
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags: opened(tmp_path / "pipe", flags))
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match="a named pipe, not a regular file"):
        open_regular(tmp_path / "file")
    assert len(os.listdir("/dev/fd")) == before
