"""The figures that a search can weigh against each other: their names, directions and units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nas.records import TrialRecord

__all__ = ["OBJECTIVES", "Objective"]


@dataclass(frozen=True, slots=True)
class Objective:
    """One figure of a trial, and how people read it.

    Attributes:
        name: what a user types, such as ``"psnr"``.
        attribute: the field of :class:`~nas.records.TrialRecord` that holds the figure.
        maximize: whether more is better.
        unit: the unit it is shown in, ``""`` for none.
        label: the field's term for it, as on an axis.
        divisor: how many of the record's own units one shown unit holds (1000 for K).
        digits: decimals worth showing.
    """

    name: str
    attribute: str
    maximize: bool
    unit: str
    label: str
    divisor: float = 1.0
    digits: int = 1

    def value(self, record: TrialRecord) -> float | None:
        """The record's figure in the record's own unit; None if unknown or not finite."""
        figure = getattr(record, self.attribute)
        return None if figure is None or not math.isfinite(figure) else float(figure)

    def shown(self, figure: float) -> float:
        """A figure in the record's own unit, in the unit that people read."""
        return figure / self.divisor

    def text(self, figure: float) -> str:
        """A figure in the record's own unit, written with its shown unit: ``"433.4 K"``."""
        return f"{self.shown(figure):.{self.digits}f} {self.unit}".rstrip()


_ALL = (
    Objective("psnr", "psnr_y_db", True, "dB", "PSNR-Y", digits=3),
    Objective("ssim", "ssim_y", True, "", "SSIM-Y", digits=4),
    Objective("params", "params", False, "K", "Parameters", divisor=1e3),
    Objective("macs", "macs", False, "G", "Multi-Adds", divisor=1e9, digits=2),
    Objective("activations", "activations", False, "M", "Activations", divisor=1e6),
    Objective("memory", "memory_mb", False, "MB", "Memory"),
    Objective("latency", "latency_ms", False, "ms", "Latency"),
)

OBJECTIVES: Mapping[str, Objective] = MappingProxyType({one.name: one for one in _ALL})
"""Every objective by its name. A new figure of the records becomes an objective here."""
