"""How a machine is shared out among workers: cores, threads and GPUs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from nas.evaluate.environment import cores
from search_spaces.errors import InputError

__all__ = ["Machine", "Share", "default_workers", "shares", "this_machine"]

GPU_WORKER_BYTES = 2 * 10**9
"""GPU memory that a worker is granted: its CUDA context and a small network's training."""

SHORT_STEPS = 100
"""Trainings of fewer steps are over before further processes have started."""


@dataclass(frozen=True)
class Machine:
    """What can be shared out.

    Attributes:
        cores: processors that this process may use.
        gpus: names of the GPUs, as ``CUDA_VISIBLE_DEVICES`` has them; none on a CPU alone.
        gpu_bytes: memory of the smallest of them.
    """

    cores: int
    gpus: tuple[str, ...] = ()
    gpu_bytes: int = 0

    @property
    def most_workers(self) -> int:
        """How many workers fit: one a core, and on GPUs as many as their memory holds."""
        if not self.gpus:
            return self.cores
        return max(1, min(self.cores, len(self.gpus) * (self.gpu_bytes // GPU_WORKER_BYTES)))


@dataclass(frozen=True)
class Share:
    """What one worker gets: CPU threads, and a GPU where there is one."""

    threads: int
    gpu: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a worker's process needs before it loads torch."""
        threads = str(self.threads)
        variables = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        return variables if self.gpu is None else {**variables, "CUDA_VISIBLE_DEVICES": self.gpu}


def this_machine(device: str | None) -> Machine:
    """What this machine has to share out for work on a device (``None``: the best)."""
    import torch

    if device is not None and not device.startswith("cuda"):
        return Machine(cores())
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        return Machine(cores())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in visible.split(",")] if visible else []
    names = names if len(names) == count else [str(index) for index in range(count)]
    memory = [torch.cuda.get_device_properties(index).total_memory for index in range(count)]
    if device is not None and ":" in device:
        index = int(device.partition(":")[2])
        names, memory = names[index : index + 1], memory[index : index + 1]
    return Machine(cores(), tuple(names), min(memory))


def default_workers(machine: Machine, steps: int) -> int:
    """How many workers finish a search soonest, for so many training steps of each network."""
    if steps < SHORT_STEPS:
        return 1
    most = machine.most_workers
    return min(most, len(machine.gpus)) if machine.gpus else most


def shares(workers: int, machine: Machine) -> Sequence[Share]:
    """What each of so many workers gets; several may share a GPU.

    Raises:
        InputError: more workers than the machine holds, or none.
    """
    if workers < 1:
        raise InputError(f"workers: expected at least 1, got {workers}")
    if workers > machine.most_workers:
        held = f"{machine.cores} core{'s' if machine.cores > 1 else ''}"
        if machine.gpus:
            held += (
                f" and {len(machine.gpus)} GPU{'s' if len(machine.gpus) > 1 else ''} of "
                f"{machine.gpu_bytes / 1e9:.0f} GB"
            )
        raise InputError(
            f"workers: {workers} are more than this machine holds ({held}); expected at most "
            f"{machine.most_workers}"
        )
    threads = max(1, machine.cores // workers)
    gpus = machine.gpus
    return [Share(threads, gpus[k % len(gpus)] if gpus else None) for k in range(workers)]
