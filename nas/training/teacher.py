"""A trained network from which another one learns beside the photos."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from search_spaces import Architecture, Network, load
from search_spaces.errors import InputError

__all__ = ["check_teacher", "frozen", "load_teacher"]


def load_teacher(
    weights: Path | None, student: Architecture, device: torch.device | str
) -> Network | None:
    """The teacher of a training, ready to be asked; None where it has none.

    Args:
        weights: a .safetensors file, of any network of the student's scale and colours.
        student: what it is to teach.
        device: where the student is trained.

    Raises:
        InputError: a file that cannot be read, or a network that cannot teach this one.
    """
    if weights is None:
        return None
    teacher = load(weights)
    check_teacher(student, teacher.architecture)
    return frozen(teacher, device)


def check_teacher(student: Architecture, teacher: Architecture) -> None:
    """Raises InputError where scale or colours differ."""
    for name, what in (("scale", "enlarges {} times"), ("colors", "has {} colour planes")):
        mine, theirs = getattr(student, name), getattr(teacher, name)
        if mine != theirs:
            raise InputError(
                f"the student {what.format(mine)}, the teacher {theirs}; expected a teacher of "
                f"the same {name}"
            )


def frozen(teacher: Network, device: torch.device | str) -> Network:
    """A copy on the device that no training changes."""
    copied = copy.deepcopy(teacher).eval().requires_grad_(False)
    moved: Network = copied.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved
