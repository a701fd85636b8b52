"""Everything that decides what a full training does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from nas.data import Dataset
from nas.data.places import PhotoPlaces
from nas.training.schedule import FullRecipe
from search_spaces import Architecture
from search_spaces.regular import read_regular

__all__ = ["Proxy", "TrainSettings"]

CHECKPOINT_SECONDS = 60.0
_VALIDATIONS = 20
_LEAST_STEPS_BETWEEN = 20
_MOST_STEPS_BETWEEN = 5000


@dataclass(frozen=True, slots=True)
class Proxy:
    """What a search's short training made of the network, and bicubic on the photos there, dB."""

    psnr_y_db: float
    bicubic_psnr_y_db: float


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a training.

    Attributes:
        architecture: what is trained.
        recipe: how.
        photos: on what.
        run: the run folder.
        init: weights to begin with, None for fresh ones.
        teacher: weights of a network to learn from beside the photos, as the recipe's
            ``teacher_share`` says; None: from the photos alone.
        seed: of fresh weights and of the order of patches.
        every: steps between validations.
        device: where.
        checkpoint_s: seconds between checkpoints.
        tensorboard: whether to write for TensorBoard; None: where it is installed.
        command: that made it, for train.yaml.
        places: where the photos are, for train.yaml.
        proxy: what the network was worth in its search; it is compared at the end.
        notes: lines that the user should know, such as what was taken from that search.
    """

    architecture: Architecture
    recipe: FullRecipe
    photos: Dataset
    run: Path
    init: Path | None = None
    seed: int = 0
    every: int | None = None
    device: str = "cpu"
    checkpoint_s: float = CHECKPOINT_SECONDS
    tensorboard: bool | None = None
    command: str = ""
    teacher: Path | None = None
    places: PhotoPlaces = field(default_factory=PhotoPlaces)
    proxy: Proxy | None = None
    notes: tuple[str, ...] = ()

    @property
    def validate_every(self) -> int:
        """Steps between validations: by default a twentieth of all, in 20 to 5,000.

        There is one at the end of each phase as well.
        """
        share = self.recipe.steps // _VALIDATIONS
        return self.every or min(_MOST_STEPS_BETWEEN, max(_LEAST_STEPS_BETWEEN, share))

    @property
    def identity(self) -> Mapping[str, str]:
        """What must be equal for a checkpoint to belong to this training."""
        phases = [
            p.model_dump(mode="json", exclude={"seed", "precision"}) for p in self.recipe.phases
        ]
        return {
            "network": self.architecture.hash,
            "init": _digest(self.init),
            "teacher": _digest(self.teacher),
            "recipe": json.dumps(phases),
            "precision": ", ".join(phase.precision for phase in self.recipe.phases),
            "seed": str(self.seed),
            "data": self.photos.fingerprint,
            "validate_every": str(self.validate_every),
        }


def _digest(weights: Path | None) -> str:
    return "" if weights is None else sha256(read_regular(weights)).hexdigest()[:16]
