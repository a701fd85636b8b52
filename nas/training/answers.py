"""A teacher that sees whole photos: what it makes of each is kept, and patches are cut of that.

Asked of every patch anew, a teacher costs as much as the student's own step, or more. Photos are
few beside the patches of a training; of whole ones, its answers have no edges either.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nas.data.patches import Patches
from nas.data.shrunk import share_of_area
from nas.data.source import Source
from nas.data.stored import StoredPhoto
from nas.training.loop import unit
from nas.training.recipe import Recipe
from nas.training.settings import TrainSettings
from nas.training.teacher import check_teacher, frozen, load_teacher
from search_spaces import Network, load

__all__ = ["SHOWN", "Answers", "asked"]

Pixels = NDArray[np.uint8]

SHOWN = "The teacher is shown each photo once, whole, at its first patch: first steps take longer"
"""What the user is told of a training with `Answers`."""

_MOST_BYTES = 2_000_000_000
# Luma in 0..1 goes from here, and so far (ITU-R BT.601).
_BLACK, _RANGE = 16 / 255, 219 / 255


class Answers:
    """What a teacher makes of whole photos, each when the first patch of it is asked for.

    Kept in bytes, as photos are. The same answers whenever they are made, so that a training that
    goes on has those that it began with.

    Args:
        teacher: of three colours, or of luma, for a student of luma; as `frozen` makes it.
    """

    def __init__(self, teacher: Network) -> None:
        self._teacher = teacher
        self._made: dict[bytes, Pixels] = {}

    @classmethod
    def wanted(cls, settings: TrainSettings, device: torch.device) -> Answers | None:
        """Those of a training's teacher, where whole photos are less to ask for than its patches.

        Whatever that is, where a teacher of three colours is to teach luma, which it cannot see in
        the student's patches. Of photos on disk, and of those whose LR a chain draws anew for each
        patch, nothing is known before; of more than 2 GB nothing is kept.

        Raises:
            InputError: weights that cannot be read, or a teacher that cannot teach this network.
        """
        if settings.teacher is None or not _can_be_kept(settings):
            return None
        teacher, student = load(settings.teacher), settings.architecture
        check_teacher(student, teacher.architecture, whole=True)
        if teacher.architecture.colors == student.colors and not _pays(settings):
            return None
        return cls(frozen(teacher, device))

    def cut(self, patches: Patches, recipe: Recipe) -> Patches | None:
        """The same patches as the teacher enlarges them; None where it has no share."""
        return patches.with_hr(self) if recipe.teacher_share > 0 else None

    def __call__(self, source: Source) -> _Answer:
        """HR of a photo as the teacher sees it."""
        return _Answer(self, source)

    def of(self, lr: Pixels) -> Pixels:
        """What the teacher makes of an LR image, (h, w, 3) to (h * scale, w * scale, 3)."""
        # By what it shows: phases cut their patches of the same photos.
        key = sha256(lr.tobytes() + bytes(str(lr.shape), "ascii")).digest()
        if key not in self._made:
            self._made[key] = self._asked(lr)
        return self._made[key]

    def _asked(self, lr: Pixels) -> Pixels:
        colors = self._teacher.architecture.colors
        device = next(self._teacher.parameters()).device
        planes = torch.from_numpy(np.ascontiguousarray(lr)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            made = self._teacher(unit(planes, colors, device)).float()[0]
            if colors == 1:
                # Gray of this luma, within what bytes can say.
                made = ((made - _BLACK) / _RANGE).expand(3, -1, -1)
            made = (made.clamp(0, 1) * 255).round().to(torch.uint8)
        pixels: Pixels = made.permute(1, 2, 0).contiguous().cpu().numpy()
        return pixels


def asked(settings: TrainSettings, device: torch.device) -> tuple[Answers | None, Network | None]:
    """A training's teacher: one that is shown whole photos, or one to be asked of each patch.

    Raises:
        InputError: as `Answers.wanted` and `load_teacher`.
    """
    answers = Answers.wanted(settings, device)
    file = settings.teacher if answers is None else None
    return answers, load_teacher(file, settings.architecture, device)


class _Answer:
    """An image that is made when the first part of it is read."""

    def __init__(self, answers: Answers, source: Source) -> None:
        self._answers, self._source = answers, source
        self._pixels: Pixels | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self._source.hr.shape

    def __getitem__(self, part: Any) -> Pixels:
        if self._pixels is None:
            lr = self._source.lr
            assert isinstance(lr, np.ndarray)
            self._pixels = self._answers.of(lr)
        found: Pixels = self._pixels[part]
        return found


def _can_be_kept(settings: TrainSettings) -> bool:
    photos = settings.photos.train
    fixed = all(one.lr is not None or one.degradation is None for one in photos)
    stored = any(isinstance(one, StoredPhoto) for one in photos)
    return fixed and not stored and 3 * _shown_px(settings) <= _MOST_BYTES


def _pays(settings: TrainSettings) -> bool:
    phases, scale = settings.recipe.phases, settings.architecture.scale
    asked = sum(
        phase.steps * phase.batch * (phase.lr_size * scale) ** 2
        for phase in phases
        if phase.teacher_share > 0
    )
    return _shown_px(settings) <= asked


def _shown_px(settings: TrainSettings) -> float:
    """HR pixels of all photos, with those that are shrunk."""
    shares = (share_of_area(phase.scale_augmentation) for phase in settings.recipe.phases)
    return max(shares) * sum(one.height * one.width for one in settings.photos.train)
