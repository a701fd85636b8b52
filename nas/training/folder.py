"""The folder of a full training, and what stands in its files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nas.data import Dataset
from nas.data.places import PhotoPlaces, told_degradation
from nas.evaluate.environment import environment
from nas.evaluate.upscale import upscale
from nas.evaluate.validate import reference
from nas.locks import locked
from nas.plain import from_plain
from nas.training.board import Board
from nas.training.checkpoint import Progress
from nas.training.settings import TrainSettings
from search_spaces import Network, save_weights
from search_spaces.errors import InputError, WriteError
from search_spaces.extensions import imported_files
from search_spaces.files import atomic_path
from search_spaces.regular import read_regular
from search_spaces.yaml_file import read_yaml

__all__ = ["TRAIN_FILE", "RunFolder", "photo_places"]

TRAIN_FILE = "train.yaml"
_MOST_SHOWN_PX = 256
_OURS = (TRAIN_FILE, "history.csv", "best.safetensors", "last.safetensors")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and contents of a training's run folder."""

    root: Path

    @property
    def checkpoint(self) -> Path:
        """Where the training stands."""
        return self.root / "checkpoint.pt"

    @property
    def good(self) -> Path:
        """Where it stood when it was last known to be sound."""
        return self.root / "good.pt"

    @property
    def board(self) -> Path:
        """TensorBoard's event files."""
        return self.root / "tensorboard"

    @property
    def init(self) -> Path:
        """A copy of the weights that it began from: their own place may be gone by then."""
        return self.root / "init.safetensors"

    @contextmanager
    def occupied(self) -> Iterator[None]:
        """Keeps other trainings out meanwhile; the kernel lets them in when this one dies.

        Raises:
            InputError: another one is in, the folder cannot be written, or what is in it was not
                made by a training and would be overwritten.
        """
        there = next((name for name in _OURS if (self.root / name).exists()), None)
        if there is not None and not self._begun():
            raise InputError(
                f"{self.root} holds {there}, which a training would overwrite, but no training; "
                f"choose another --run folder"
            )
        with ExitStack() as stack:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                alone = stack.enter_context(locked(self.root / ".lock", wait=False))
            except OSError as error:
                raise WriteError(
                    f"cannot write {self.root}: {error.strerror or error}; choose another --run "
                    f"folder"
                ) from error
            if not alone:
                raise InputError(
                    f"{self.root}: another process is training here; wait for it, or give another "
                    f"--run folder"
                )
            yield

    def _begun(self) -> bool:
        try:
            about, _ = read_yaml(self.root / TRAIN_FILE)
        except InputError:
            about = {}
        return self.checkpoint.exists() or "network_hash" in about

    def keep_init(self, init: Path) -> None:
        """Copies the weights that the training begins from."""
        if init.resolve() != self.init.resolve():
            with atomic_path(self.init) as temporary:
                temporary.write_bytes(read_regular(init))

    def write_weights(self, network: Network, name: str) -> None:
        """best.safetensors or last.safetensors."""
        save_weights(network, self.root / f"{name}.safetensors")

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """history.csv: a row for each validation."""
        path = self.root / "history.csv"
        with atomic_path(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def describe(
        self, settings: TrainSettings, progress: Progress, seconds: float,
        beside: Mapping[str, float | None],
    ) -> None:  # fmt: skip
        """train.yaml: how the network is made, and how good it has become ``beside`` others."""
        recipe, photos = settings.recipe, settings.photos
        about: dict[str, Any] = {
            "schema_version": 1,
            "network": settings.architecture.to_dict(),
            "network_hash": settings.architecture.hash,
            "init": None if settings.init is None else str(settings.init),
            "teacher": None if settings.teacher is None else str(settings.teacher),
            "recipe": {
                "name": recipe.name,
                "source": recipe.source,
                "about": recipe.about,
                "phases": [
                    phase.model_dump(mode="json", exclude={"seed"}) for phase in recipe.phases
                ],
            },
            "seed": settings.seed,
            "data": photos.name,
            "data_fingerprint": photos.fingerprint,
            "photos": settings.places.to_plain(),
            "train_photos": len(photos.train),
            "validation": {
                name: [photo.name for photo in some] for name, some in photos.sets.items()
            },
            "validate_every": settings.validate_every,
            "device": settings.device,
            "imports": [str(file) for file in imported_files()],
            "command": settings.command,
            "environment": environment().to_dict(),
        }
        if progress.rows:
            best = next(row for row in progress.rows if row["step"] == progress.best_step)
            about["result"] = {
                "best": dict(best),
                "last": dict(progress.rows[-1]),
                **beside,
                "rate_factor": progress.rate_factor,
                "train_seconds": round(seconds, 1),
            }
        with atomic_path(self.root / TRAIN_FILE) as temporary:
            text = yaml.safe_dump(about, sort_keys=False, width=96, allow_unicode=True)
            temporary.write_text(text, encoding="utf-8")

    def show(self, board: Board, step: int, network: Network, photos: Dataset) -> None:
        """The middle of the first validation photo on the board, enlarged by the network."""
        a = network.architecture
        ref = reference(photos.validation[0], a.scale)
        side = min(_MOST_SHOWN_PX // a.scale, *ref.lr.shape[:2])
        y, x = ((length - side) // 2 for length in ref.lr.shape[:2])
        lr = ref.lr[y : y + side, x : x + side]
        board.image(step, "validation/network", upscale(network, lr, a.scale, colors=a.colors))


@dataclass(frozen=True, slots=True)
class _Photos:
    data: str | None
    val: Mapping[str, str]
    lr: str | None = None
    val_lr: Mapping[str, str] = field(default_factory=dict)
    degradation: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What of train.yaml is read again."""

    photos: _Photos


def photo_places(folder: Path) -> PhotoPlaces:
    """Where the photos of the training in a folder were.

    Raises:
        InputError: there is none, or its train.yaml holds something else.
    """
    path = folder / TRAIN_FILE
    told = from_plain(_Told, read_yaml(path)[0], str(path)).photos
    data, lr = (None if one is None else Path(one) for one in (told.data, told.lr))
    val, val_lr = (
        {name: Path(one) for name, one in some.items()} for some in (told.val, told.val_lr)
    )
    degradation = told_degradation(told.degradation, f"{path}: photos")
    return PhotoPlaces(data, val, lr, val_lr, degradation)
