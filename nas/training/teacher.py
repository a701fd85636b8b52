"""A trained network from which another one learns beside the photos."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from nas.shipped.catalog import looks_shipped, shipped_names, shipped_weights
from search_spaces import Architecture, Network, load
from search_spaces.errors import InputError
from search_spaces.regular import irregular
from search_spaces.weights import WEIGHTS

__all__ = ["check_teacher", "frozen", "load_teacher", "named_teacher"]


def named_teacher(name: str, folder: Path, scale: int) -> Path:
    """The weights that a recipe names as its teacher.

    Args:
        name: a .safetensors file or a folder of nas export, by its path from ``folder``, or a
            network that ships.
        folder: the recipe's.
        scale: that the recipe is read for.

    Raises:
        InputError: none of these, or a network of another scale.
    """
    path = folder / name
    if looks_shipped(name) and not path.exists():
        path = shipped_weights(name)
    path = path / WEIGHTS if path.is_dir() else path
    if problem := irregular(path):
        raise InputError(
            f"{path}: {problem}; expected a .safetensors file, by its path from the recipe's "
            f"folder, or a network that ships: {', '.join(shipped_names())}"
        )
    # Now, since photos and, before that, a whole search may come before the training.
    theirs = load(path).architecture.scale
    if theirs != scale:
        raise InputError(f"{path} is of scale {theirs}; expected a teacher of scale {scale}")
    return path


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


def check_teacher(student: Architecture, teacher: Architecture, *, whole: bool = False) -> None:
    """Raises InputError where scale or colours differ.

    Args:
        student: that is to learn.
        teacher: that it is to learn from.
        whole: the teacher is shown whole photos: one of three colours can teach luma as well.
    """
    for name, what in (("scale", "is of scale {}"), ("colors", "has {} colour planes")):
        if whole and name == "colors" and teacher.colors == 3:
            continue
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
