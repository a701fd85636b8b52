"""What a latency holds for: a device, a runtime, a number format, a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from nas.deploy.runtimes import RUNTIMES, TORCH
from nas.evaluate.threads import shown_threads

__all__ = ["Device", "latency_place", "name_of", "this_device"]


@dataclass(frozen=True, slots=True)
class Device:
    """Where and how latency is measured.

    Attributes:
        name: of the processor or GPU.
        place: as torch names it: ``"cpu"``, ``"cuda"``; `BEHIND_COMMAND` where a command tells
            times: it is the name.
        runtime: ``"torch"`` or one of `nas.deploy.runtimes.RUNTIMES`, or what a command is given.
        dtype: ``"float32"``, ``"bfloat16"`` or ``"float16"`` (autocast).
        threads: CPU threads of one operator; None where only the device knows.
        lr_size: (height, width) of the input.
        scale: of the networks.
        versions: of torch, and of the runtime where that is another.
    """

    BEHIND_COMMAND: ClassVar[str] = "command"

    name: str
    place: str
    runtime: str
    dtype: str
    threads: int | None
    lr_size: tuple[int, int]
    scale: int
    versions: tuple[tuple[str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self) | {"lr_size": list(self.lr_size), "versions": dict(self.versions)}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Device:
        """From `to_dict`'s plain data."""
        height, width = plain["lr_size"]
        versions = tuple((str(k), str(v)) for k, v in plain["versions"].items())
        return cls(**{**plain, "lr_size": (int(height), int(width)), "versions": versions})

    def __str__(self) -> str:
        height, width = self.lr_size
        threads = () if self.threads is None else (shown_threads(self.threads),)
        what = (self.runtime, self.dtype, *threads, f"{width}x{height} input", f"x{self.scale}")
        return f"{self.name} ({self.place}), {', '.join(what)}"


def this_device(
    *, place: str, runtime: str, dtype: str, threads: int, lr_size: tuple[int, int], scale: int
) -> Device:
    """The device at hand.

    Raises:
        InputError: torch sees no such device here.
    """
    from importlib.metadata import version

    from nas.evaluate.precision import best_device

    where = best_device(place)
    packages = (TORCH, RUNTIMES[runtime].package) if runtime in RUNTIMES else (TORCH,)
    versions = tuple((package, version(package)) for package in packages)
    return Device(name_of(place), str(where), runtime, dtype, threads, lr_size, scale, versions)


def name_of(place: str | None) -> str:
    """The processor's or GPU's name.

    Raises:
        InputError: torch sees no such device here.
    """
    import torch

    from nas.evaluate.environment import environment
    from nas.evaluate.precision import best_device

    where = best_device(place)
    return torch.cuda.get_device_name(where) if where.type == "cuda" else environment().cpu


def latency_place(lr_size: Sequence[int], device: str, threads: int | None) -> str:
    """What a latency is of, for people: input (height, width), device and threads if known."""
    height, width = lr_size
    place = f"{width}×{height} input, {device}"
    return place if threads is None else f"{place}, {shown_threads(threads)}"
