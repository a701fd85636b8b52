"""Several processes that train one network: each a part of every batch, gradients averaged."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_spaces.errors import InputError, first_line

__all__ = ["ALONE", "Processes", "joined"]


@dataclass(frozen=True, slots=True)
class Processes:
    """One process among those that train together; by default the only one.

    Attributes:
        rank: its number, from 0; number 0 writes files and talks to the user.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network as it has to be called so that gradients are averaged over all."""
        if self.count == 1:
            return network
        from torch.nn.parallel import DistributedDataParallel

        with warnings.catch_warnings():
            # The newer name of the option is not there in every torch that we support.
            warnings.simplefilter("ignore", FutureWarning)
            # Our buffers are constants, the same in all.
            return DistributedDataParallel(network, broadcast_buffers=False)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes, elementwise, the same on each."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
            values /= self.count
        return values

    def from_first(self, value: float) -> float:
        """The first one's value, on all."""
        if self.count == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64, device=_device_of_messages())
        torch.distributed.broadcast(told, src=0)
        return float(told.item())

    def part(self, batch: int) -> slice:
        """Which patches of a batch are this one's.

        Raises:
            InputError: the batch cannot be shared out evenly.
        """
        if batch % self.count:
            raise InputError(
                f"a batch of {batch} cannot be shared out among {self.count} processes; expected "
                f"a number of processes that divides it"
            )
        share = batch // self.count
        return slice(self.rank * share, (self.rank + 1) * share)


ALONE = Processes()

# What gloo and NCCL say when a process that they wait for is gone.
_LOST = ("onnection closed", "onnection reset", "remote process exited", "onnection refused")


@contextmanager
def joined(rank: int, count: int, device: torch.device) -> Iterator[Processes]:
    """Meets the others as the environment says (MASTER_ADDR, MASTER_PORT), as torchrun sets it.

    NCCL where they train on GPUs, gloo on processors.

    Raises:
        InputError: the others cannot be met, or one of them ends before this one.
    """
    if count == 1:
        yield ALONE
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        torch.distributed.init_process_group(backend, rank=rank, world_size=count)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"process {rank} of {count} cannot meet the others: {first_line(error)}"
        ) from error
    try:
        yield Processes(rank, count)
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _LOST):
            raise
        raise InputError(f"process {rank} of {count}: another one of them has ended") from error
    finally:
        torch.distributed.destroy_process_group()


def _device_of_messages() -> torch.device:
    nccl = torch.distributed.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if nccl else torch.device("cpu")
