"""Latency as the whole machine has it, whatever share of it a worker gets."""

from __future__ import annotations

import torch

from nas.latency.meter import Figures, Meter
from nas.workers.shares import cores
from search_spaces import Architecture

__all__ = ["MachineMeter"]


class MachineMeter(Meter):
    """Measures with all cores, so that figures do not depend on how many workers there are.

    A measurement has the machine for itself anyway: the other workers' steps wait for it.
    """

    def measure(self, arch: Architecture) -> Figures:
        before = torch.get_num_threads()
        torch.set_num_threads(cores())
        try:
            return super().measure(arch)
        finally:
            torch.set_num_threads(before)
