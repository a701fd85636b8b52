"""Searches whose disk is full: one line, nothing half written, and they go on with more room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.records import FINISHED
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Outcome
from tests.nas_tests.explore_tests.ended import check_ended, check_files


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 420 KB in memory, where the system lets the tests mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=420k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    ) if os.path.exists("/bin/mount") else None  # fmt: skip
    if mounted is None or mounted.returncode:
        pytest.skip("a small disk takes the right to mount one: run as root on Linux")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


# The first has no room for a study, the second none for what its networks leave.
@pytest.mark.parametrize(("size_kb", "trials"), [(150, 2), (330, 5)])
def test_full_disk(
    size_kb: int, trials: int, small_disk: Path, process: Callable[..., Outcome]
) -> None:
    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)

    resize(f"{size_kb}k")
    folder = small_disk / "run"
    settings: dict[str, Any] = {"space": "tiny", "profile": "smoke", "latency_size": (8, 8)}
    options = ("search", "--space", "tiny", "--profile", "smoke", "--latency-size", "8x8")
    ended = process(*options, "--run", folder, "--trials", trials)
    assert ended.code == 2
    last = ended.err.splitlines()[-1]
    assert last.startswith("nas: ")
    assert "No space left on device" in last or "disk is full" in last or "is the disk full" in last
    assert "Traceback" not in ended.err
    assert not [line for line in ended.err.splitlines()[:-1] if line.startswith(("nas:", "["))]
    check_files(folder)
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]
    before = {}
    if (folder / "run.yaml").exists():
        records = nas.open_run(folder).records()
        before = {r.number: repr(r.psnr_y_db) for r in records if r.state == FINISHED}
    resize("4m")
    run = nas.search(trials=trials, run=folder, **settings)
    after = {r.number: repr(r.psnr_y_db) for r in run.records()}
    assert all(after[number] == psnr for number, psnr in before.items())
    check_ended(folder, trials)


def test_a_checkpoint_that_does_not_fit_on_the_disk(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.training.checkpointed._CHECKPOINT_SECONDS", 0.0)
    (small_disk / "other").write_bytes(b"x" * 200_000)
    with pytest.raises(InputError, match=r"cannot write .*checkpoints") as caught:
        nas.search(
            trials=4, run=small_disk / "run", space="tiny", profile="smoke", latency_size=(8, 8)
        )
    assert "\n" not in str(caught.value)
    (small_disk / "other").unlink()


def test_a_store_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    settings = make_settings(
        space="tiny", profile="smoke", run=tmp_path, storage="sqlite:////proc/none/study.db"
    )
    with pytest.raises(InputError, match="cannot be opened: unable to open database file"):
        run_search(settings)
