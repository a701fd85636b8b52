"""The figures that a search can weigh against each other: the one table of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from nas.records import Rung, TrialRecord
from search_spaces.errors import InputError
from search_spaces.open_table import OpenTable

__all__ = ["OBJECTIVES", "Objective", "add_objective", "canonical"]

_NAME = re.compile("[a-z][a-z0-9_-]*")
_OF_RECORDS = frozenset(f.name for f in fields(TrialRecord))
_OF_RUNGS = frozenset(f.name for f in fields(Rung))


@dataclass(frozen=True, slots=True)
class Objective:
    """One figure of a trial, and how people read it.

    One that no field of the records holds says by itself how it is found out, with ``price`` or
    ``worth``, and stands among the record's ``own`` figures under its name.

    Attributes:
        name: what a user types, such as ``"psnr"``.
        maximize: whether more is better.
        unit: the unit it is shown in, ``""`` for none.
        label: the field's term for it, as on an axis.
        attribute: the field of :class:`~nas.records.TrialRecord` that holds the figure; left out,
            the name.
        divisor: how many of the record's own units one shown unit holds (1000 for K).
        digits: decimals worth showing.
        units: of budgets, each with how many of the record's own unit it holds; without any it
            takes no budget. What has one is to be known before a network is trained.
        example: a budget of it, for the help, and in ``about`` what it is of.
        about: see there.
        aliases: other names that a user may type.
        noise: standard deviation of ONE network's figure between seeds, in the record's own unit,
            or the name of the field of :class:`~nas.noise.Noise` that holds it.
        noise_share_of: what that is a share of, given the network's own figure: of that itself is
            ``abs``; left out, all networks have the same noise.
        measured: whether it takes a good part of a training's time to know it before.
        timed: whether a clock says it, so that before it does it can be predicted at best.
        by_ratio: whether twice as much is the same step everywhere, so that axes are logarithmic.
        price: the figure of an architecture whose output has this (height, width); it is known
            before training.
        worth: the figure of a trained network in evaluation mode, given the validation photos
            (``nas.data.Photo``); it is known at every rung.
        at_end: whether ``worth`` is asked at the last step alone, and not at the rungs before.

    Raises:
        InputError: a name that cannot be typed, or figures that are found out in no way, in two,
            or too late for a budget.
    """

    name: str
    maximize: bool
    unit: str
    label: str
    attribute: str = ""
    divisor: float = 1.0
    digits: int = 1
    units: Mapping[str, float] = field(default_factory=dict)
    example: str = ""
    about: str = ""
    aliases: tuple[str, ...] = ()
    noise: str | float = 0.0
    noise_share_of: Callable[[float], float] | None = None
    measured: bool = False
    timed: bool = False
    by_ratio: bool = False
    price: Callable[[Any, tuple[int, int]], float] | None = None
    worth: Callable[[Any, Any], float] | None = None
    at_end: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "attribute", self.attribute or self.name)
        if not _NAME.fullmatch(self.name):
            raise InputError(f"objective {self.name!r}: expected a name such as my-figure")
        ways = (self.price is not None) + (self.worth is not None)
        own = self.attribute not in _OF_RECORDS
        if ways != own or (own and self.attribute != self.name):
            raise InputError(
                f"objective {self.name!r}: expected either a field of the records as its "
                f"attribute, or a price or a worth"
            )
        if self.units and self.judged:
            raise InputError(
                f"objective {self.name!r}: a budget's figure has to be known before training; "
                f"leave out units, or give a price in place of a worth"
            )

    @property
    def judged(self) -> bool:
        """Whether training makes it known, and not the architecture."""
        return self.worth is not None or self.attribute in _OF_RUNGS

    def value(self, record: TrialRecord) -> float | None:
        """The record's figure in the record's own unit; None if unknown or not finite."""
        figure = record.figure(self.attribute)
        return None if figure is None or not math.isfinite(figure) else float(figure)

    def shown(self, figure: float) -> float:
        """A figure in the record's own unit, in the unit that people read."""
        return figure / self.divisor

    def text(self, figure: float) -> str:
        """A figure in the record's own unit, written with its shown unit: ``"433.4 K"``."""
        return f"{self.shown(figure):.{self.digits}f} {self.unit}".rstrip()

    def limit_text(self, limit: float) -> str:
        """A limit in the record's own unit as it was set, not rounded: ``"600 K"``."""
        return f"{self.shown(limit):,.6g} {self.unit}".rstrip()

    def named(self, text: str) -> str:
        """A figure's text and what it is, as in a sentence: ``"25 ms latency"``."""
        what = self.label.lower()
        return f"{text} {what}" if self.unit else f"{what} {text}"

    @property
    def heading(self) -> str:
        """Its label and unit, as an axis and a column have them: ``"Multi-Adds [G]"``."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label


def _of_time(score: float) -> float:
    """What a small share of a network's time is a share of in its score (nas.latency.esr_score).

    The derivative of 0.8 exp(2 t) times t, where multi-adds and parameters are in proportion.
    """
    return 0.8 * score * math.log(max(score, 1.0))


_COUNT = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}

_ALL = (
    Objective("psnr", True, "dB", "PSNR-Y", "psnr_y_db", digits=3, noise="psnr_db"),
    Objective("ssim", True, "", "SSIM-Y", "ssim_y", digits=4, noise="ssim"),
    Objective("params", False, "K", "Parameters", divisor=1e3, units=_COUNT, example="600K-params"),
    # What the field calls FLOPs of a network are its multiply-adds.
    Objective(
        "macs", False, "G", "Multi-Adds", divisor=1e9, digits=2, units=_COUNT, example="30G-flops",
        about="= 30G-macs: multiply-adds for a 1280x720 output",
        aliases=("flops", "mult-adds", "multi-adds"),
    ),
    Objective(
        "activations", False, "M", "Activations", divisor=1e6, units=_COUNT,
        example="120M-activations", about="same output",
    ),
    Objective(
        "memory", False, "MB", "Memory", "memory_mb", units={"KB": 1e-3, "MB": 1.0, "GB": 1e3},
        example="200MB-memory", about="weights and live tensors, same output", measured=True,
    ),
    Objective(
        "latency", False, "ms", "Latency", "latency_ms", units={"us": 1e-3, "ms": 1.0, "s": 1e3},
        example="25ms-latency", about="at --latency-size", noise="latency", noise_share_of=abs,
        measured=True, timed=True,
    ),
    Objective(
        "esr_score", False, "", "Challenge score", digits=2, units={"": 1.0},
        example="7-esr_score", about="NTIRE's of time, multi-adds and parameters; SPAN has 7.39",
        aliases=("esr-score",), noise="latency", noise_share_of=_of_time, measured=True, timed=True,
        by_ratio=True,
    ),
)  # fmt: skip

OBJECTIVES: OpenTable[Objective] = OpenTable("objective", {one.name: one for one in _ALL})
"""Every objective by its name."""


def add_objective(one: Objective) -> None:
    """Adds an objective of one's own to the table; a failed add changes nothing.

    Raises:
        InputError: its name is taken.
    """
    if canonical(one.name) != one.name:
        raise InputError(f"objective {one.name!r} is there already: choose another name")
    OBJECTIVES.add(one.name, one)


def canonical(name: str) -> str:
    """The name of the objective that a user calls so, or else the text in lower case."""
    typed = name.strip().lower()
    return next((one.name for one in OBJECTIVES.values() if typed in one.aliases), typed)
