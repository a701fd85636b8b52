"""A trainer whose files lie where several machines see them."""

from __future__ import annotations

from pathlib import Path

from nas.explore.trainer import OnStep, Photos, Trainer
from nas.records import Rung
from nas.store.remote import RemoteFiles
from search_spaces import Architecture

__all__ = ["RemoteTrainer"]


class RemoteTrainer:
    """A trainer whose checkpoints and weights are remote files; their paths are local copies."""

    def __init__(self, trainer: Trainer, remote: RemoteFiles) -> None:
        self._trainer, self._remote = trainer, remote

    @property
    def photos(self) -> Photos:
        return self._trainer.photos

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        name = f"checkpoints/{checkpoint.name}"
        checkpoint.unlink(missing_ok=True)
        self._remote.get(name, checkpoint)
        kept = _time_of(checkpoint)

        def keep() -> None:
            nonlocal kept
            if (now := _time_of(checkpoint)) != kept:
                self._remote.put(checkpoint, name)
                kept = now

        def tell(step: int, loss: float, seconds: float) -> None:
            on_step(step, loss, seconds)
            keep()

        try:
            rung = self._trainer.advance(
                architecture, until_step, checkpoint=checkpoint, on_step=tell
            )
        except KeyboardInterrupt:
            keep()
            raise
        keep()
        return rung

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        if not checkpoint.exists():
            # Another machine has trained this network.
            self._remote.get(f"checkpoints/{checkpoint.name}", checkpoint)
        self._trainer.save_weights(architecture, checkpoint, path)
        self._remote.put(path, f"weights/{path.name}")

    def forget(self, checkpoint: Path) -> None:
        self._trainer.forget(checkpoint)
        self._remote.remove(f"checkpoints/{checkpoint.name}")


def _time_of(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None
