"""Distillation: a network learns from others beside the photos, by the one training loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compress.features import COMPARISONS, NEEDS_WIDTH, block_outputs, compared, matched_depths
from nas.training.state import seeded
from nas.training.teacher import check_teacher, frozen
from search_spaces.errors import InputError
from search_spaces.network import Network

__all__ = ["MIMICRY", "Along", "Distillation", "Lessons", "Teaching"]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a student learns from, as the weights of a sum of losses.

    Attributes:
        photos: mean absolute error against the photos.
        response: mean absolute difference from the teacher's output (Hinton et al. 2015,
            "Distilling the Knowledge in a Neural Network", for images).
        features: difference of the blocks' outputs (the stem's where there are no blocks),
            averaged over the blocks.
        comparison: how feature maps are compared, one of `compress.features.COMPARISONS`.
    """

    photos: float = 1.0
    response: float = 1.0
    features: float = 0.1
    comparison: str = "l1"

    def __post_init__(self) -> None:
        for name in ("photos", "response", "features"):
            weight = getattr(self, name)
            if not (weight >= 0 and math.isfinite(weight)):
                raise InputError(f"weight of {name}: expected 0 or more, got {weight}")
        if self.photos + self.response + self.features == 0:
            raise InputError("every weight of the losses is 0: there is nothing to learn from")
        if self.comparison not in COMPARISONS:
            raise InputError(
                f"comparison of features: expected one of {', '.join(COMPARISONS)}, "
                f"got {self.comparison!r}"
            )


MIMICRY = Lessons(photos=0.0)
"""For a network that was cut out of its teacher: what the teacher was trained on is more than
the photos at hand, so its outputs teach better than they do."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """Teachers, and how a student learns from them.

    Attributes:
        teachers: networks with weights, of the student's scale and colours.
        lessons: weights of the losses.
        weights: one for each teacher, of which the mean over teachers is taken; None is
            all equal.
    """

    teachers: tuple[Network, ...]
    lessons: Lessons = Lessons()
    weights: tuple[float, ...] | None = None

    def check(self, student: Network) -> None:
        """Raises InputError where the teachers cannot teach this student."""
        _shares(self.teachers, self.weights)
        for teacher in self.teachers:
            check_teacher(student.architecture, teacher.architecture)


class Along(nn.Module):
    """A network, and adapters that are trained along with it but are no part of it."""

    def __init__(self, network: Network, extra: nn.ModuleList) -> None:
        super().__init__()
        self.network, self.extra = network, extra

    def forward(self, image: Tensor) -> Tensor:
        """What the network alone gives."""
        output: Tensor = self.network(image)
        return output


class Distillation:
    """The objective of a training: the student's loss on a batch.

    Block outputs of student and teacher are compared at the same relative depth. Where the
    comparison needs maps of one width and theirs differ, a 1x1 convolution from the student's
    to the teacher's width comes between; it is trained along and is no part of the result.

    Args:
        student: it is only looked at.
        teaching: its networks are copied, so that they stay as they are.
        device: where the student is trained.
        seed: of the adapters' first weights.

    Attributes:
        adapters: to be trained along with the student; may hold no parameters.

    Raises:
        InputError: no teacher, one of another scale or other colours, or bad weights.
    """

    def __init__(
        self,
        student: Network,
        teaching: Teaching,
        *,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        teaching.check(student)
        self.lessons, teachers = teaching.lessons, teaching.teachers
        self._shares = _shares(teachers, teaching.weights)
        self._teachers = [frozen(teacher, device) for teacher in teachers]
        own = len(compared(student))
        self._pairs = [matched_depths(own, len(compared(teacher))) for teacher in teachers]
        self._taught = self.lessons.features > 0
        self.adapters = seeded(lambda: self._adapters(student), seed)

    def _adapters(self, student: Network) -> nn.ModuleList:
        own = student.architecture.channels
        matters = self._taught and self.lessons.comparison in NEEDS_WIDTH
        widths = [teacher.architecture.channels if matters else own for teacher in self._teachers]
        return nn.ModuleList(
            nn.ModuleList(
                nn.Identity() if own == width else nn.Conv2d(own, width, 1, bias=False)
                for _ in pairs
            )
            for width, pairs in zip(widths, self._pairs, strict=True)
        )

    def __call__(self, network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        """The weighted sum of the losses.

        Args:
            network: the student, or an `Along` of it and the adapters.
            lr: (N, colors, h, w) in 0..1.
            hr: (N, colors, h * scale, w * scale) in 0..1.
        """
        student: nn.Module = network
        adapters = self.adapters
        if isinstance(network, Along):
            student, adapters = network.network, network.extra
        assert isinstance(student, Network)
        lessons = self.lessons
        own_blocks = sorted({mine for pairs in self._pairs for mine, _ in pairs})
        with block_outputs(student, own_blocks if self._taught else ()) as found:
            output = student(lr).float()
        features = dict(zip(own_blocks, found, strict=False))
        loss = lessons.photos * F.l1_loss(output, hr)
        for teacher, pairs, of_teacher, share in zip(
            self._teachers, self._pairs, adapters, self._shares, strict=True
        ):
            blocks = [theirs for _, theirs in pairs] if self._taught else ()
            with torch.no_grad(), block_outputs(teacher, blocks) as shown:
                answer = teacher(lr).float()
            term = lessons.response * F.l1_loss(output, answer)
            if self._taught:
                at_pairs = zip(pairs, shown, of_teacher.children(), strict=True)
                apart = [
                    self._apart(features[mine], theirs, adapter)
                    for (mine, _), theirs, adapter in at_pairs
                ]
                term = term + lessons.features * torch.stack(apart).mean()
            loss = loss + share * term
        return loss

    def _apart(self, mine: Tensor, theirs: Tensor, adapter: nn.Module) -> Tensor:
        # Squares of features overflow what half precision tells apart.
        with torch.autocast(mine.device.type, enabled=False):
            return COMPARISONS[self.lessons.comparison](adapter(mine.float()), theirs.float())


def _shares(teachers: Sequence[Network], weights: Sequence[float] | None) -> list[float]:
    if not teachers:
        raise InputError("distillation needs at least one teacher, got none")
    given = [1.0] * len(teachers) if weights is None else list(weights)
    if len(given) != len(teachers):
        raise InputError(f"expected one weight for each of {len(teachers)} teachers, got {given}")
    if not all(math.isfinite(weight) and weight > 0 for weight in given):
        raise InputError(f"weights of teachers: expected more than 0 each, got {given}")
    return [weight / sum(given) for weight in given]
