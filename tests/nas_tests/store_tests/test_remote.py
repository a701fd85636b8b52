"""Checkpoints and weights on a folder or an fsspec URL."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest

from nas.explore.remote_trainer import RemoteTrainer
from nas.explore.trainer import OnStep, Photos
from nas.records import Rung
from nas.store.remote import RemoteFiles
from search_spaces import Architecture
from search_spaces.errors import InputError

NETWORK = Architecture.from_dict(
    {
        "scale": 4,
        "channels": 8,
        "blocks": [{"kind": "distillation", "stages": 2, "distillation": "none"}],
    }
)


@pytest.fixture(params=["memory", "folder", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kinds = {
        "memory": f"memory://{uuid.uuid4().hex}/deep",
        "folder": str(tmp_path / "remote" / "deep"),
        "file": f"file://{tmp_path}/remote/deep",
    }
    return kinds[request.param]


def listed(place: str) -> list[str]:
    files, root = fsspec.core.url_to_fs(place)
    return sorted(path.removeprefix(f"{root}/") for path in files.find(root))


def test_files_come_back(place: str, tmp_path: Path) -> None:
    remote, here, there = RemoteFiles(place), tmp_path / "here", tmp_path / "new" / "there"
    assert not remote.get("checkpoints/a.pt", there)
    assert not there.exists()
    for content in (b"first", b"second"):
        here.write_bytes(content)
        remote.put(here, "checkpoints/a.pt")
        assert remote.get("checkpoints/a.pt", there)
        assert there.read_bytes() == content
    # Nothing half-written, nothing temporary.
    assert listed(place) == ["checkpoints/a.pt"]
    assert remote.names("checkpoints") == ["a.pt"]
    assert remote.names("weights") == []
    remote.remove("checkpoints/a.pt")
    remote.remove("checkpoints/a.pt")
    assert listed(place) == []


def test_a_failed_write_leaves_what_was_there(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote, here = RemoteFiles(place), tmp_path / "here"
    here.write_bytes(b"first")
    remote.put(here, "a.pt")

    def fail(*args: object, **more: object) -> None:
        raise OSError("the disk is full\nand more")

    monkeypatch.setattr(remote._files, "mv", fail)
    here.write_bytes(b"second")
    with pytest.raises(InputError, match="cannot be written: the disk is full; what") as caught:
        remote.put(here, "a.pt")
    assert "\n" not in str(caught.value)
    assert listed(place) == ["a.pt"]
    assert remote.get("a.pt", here)
    assert here.read_bytes() == b"first"


def test_a_mark(place: str) -> None:
    remote = RemoteFiles(place)
    assert remote.marked() is None
    remote.mark("one")
    assert RemoteFiles(place).marked() == "one"
    remote.mark("two")
    assert remote.marked() == "two"


@pytest.mark.parametrize("place", ["gopher://x", "nosuch://y"])
def test_no_such_kind_of_place(place: str) -> None:
    with pytest.raises(InputError, match=f"checkpoints {place}: .*fsspec"):
        RemoteFiles(place)


def test_a_place_that_cannot_be_written() -> None:
    with pytest.raises(InputError, match="cannot be written"):
        RemoteFiles("/proc/nothing/here").mark("study")


class Counting:
    """A trainer of numbers: its checkpoints hold the step."""

    photos = Photos("none", "0" * 16)

    def __init__(self, die_at: int = -1) -> None:
        self.die_at = die_at
        self.trained: list[int] = []

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        first = int(checkpoint.read_text()) if checkpoint.exists() else 0
        for step in range(first + 1, until_step + 1):
            self.trained.append(step)
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            checkpoint.write_text(str(step))
            if step == self.die_at:
                raise KeyboardInterrupt
            on_step(step, 0.0, 0.0)
        return Rung(until_step, 30.0, 0.9, 1.0)

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"weights at {checkpoint.read_text()}")

    def forget(self, checkpoint: Path) -> None:
        checkpoint.unlink(missing_ok=True)


def test_another_machine_goes_on_where_one_stopped(place: str, tmp_path: Path) -> None:
    first, second = Counting(die_at=3), Counting()
    here, there = (tmp_path / name / "checkpoints" / "abc.pt" for name in ("here", "there"))
    steps: list[int] = []

    def on_step(step: int, loss: float, seconds: float) -> None:
        steps.append(step)

    with pytest.raises(KeyboardInterrupt):
        RemoteTrainer(first, RemoteFiles(place)).advance(
            NETWORK, 5, checkpoint=here, on_step=on_step
        )
    at_a_distance = RemoteTrainer(second, RemoteFiles(place))
    rung = at_a_distance.advance(NETWORK, 5, checkpoint=there, on_step=on_step)
    assert rung.step == 5
    assert (first.trained, second.trained) == ([1, 2, 3], [4, 5])
    assert steps == [1, 2, 4, 5]
    weights = tmp_path / "there" / "7.safetensors"
    at_a_distance.save_weights(NETWORK, there, weights)
    at_a_distance.forget(there)
    assert listed(place) == ["weights/7.safetensors"]
    assert not there.exists()


def test_an_old_copy_here_does_not_count(place: str, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoints" / "abc.pt"
    checkpoint.parent.mkdir()
    checkpoint.write_text("2")
    remote = RemoteFiles(place)
    ahead = tmp_path / "ahead"
    ahead.write_text("4")
    remote.put(ahead, "checkpoints/abc.pt")
    trainer = Counting()
    RemoteTrainer(trainer, remote).advance(
        NETWORK, 5, checkpoint=checkpoint, on_step=lambda *_: None
    )
    assert trainer.trained == [5]


def test_weights_of_a_network_that_another_machine_trained(place: str, tmp_path: Path) -> None:
    remote, ahead = RemoteFiles(place), tmp_path / "ahead"
    ahead.write_text("5")
    remote.put(ahead, "checkpoints/abc.pt")
    weights = tmp_path / "weights" / "1.safetensors"
    RemoteTrainer(Counting(), remote).save_weights(
        NETWORK, tmp_path / "checkpoints" / "abc.pt", weights
    )
    assert weights.read_text() == "weights at 5"
