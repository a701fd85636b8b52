from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nas import locks
from nas.locks import locked
from nas.store.leases.folder import FolderLease

_HOLDS = """
import sys
from pathlib import Path
from nas.locks import locked
with locked(Path(sys.argv[1]), wait=True) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_a_file_has_one_holder_until_its_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", _HOLDS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        with locked(path, wait=False) as held:
            assert not held
        holder.kill()
    with locked(path, wait=False) as held:
        assert held


def test_who_waits_may_give_up(tmp_path: Path) -> None:
    class GaveUp(Exception):
        pass

    tries = []

    def pause() -> None:
        tries.append(1)
        if len(tries) == 3:
            raise GaveUp

    path = tmp_path / "lock"
    with (
        locked(path, wait=False),
        pytest.raises(GaveUp),
        locked(path, wait=True, pause=pause),
    ):
        pass
    assert len(tries) == 3


def test_where_the_system_has_none_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "_said", False)
    first, second = FolderLease(tmp_path), FolderLease(tmp_path)
    assert first.alone()
    with first.turn(), second.turn():
        pass
    assert capfd.readouterr().err == (
        "nas: no file locks on this system: start nothing else that uses the same folder\n"
    )
    for lease in (first, second):
        lease.release()
