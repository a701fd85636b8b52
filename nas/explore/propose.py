"""The next network to look at: asked of the sampler, fitted to the budgets, checked for news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.latency.meter import Meter
from nas.objectives import OBJECTIVES
from search_spaces import Architecture
from search_spaces.dimension import Dimension, Label
from search_spaces.space import Point, Space

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["FILL", "Proposal", "choose", "fixed_parameters"]

FILL = "fill_"
"""Prefix of the study's parameters that say how much of the budget a dimension uses."""


@dataclass(frozen=True)
class Proposal:
    """A trial of the study and the network at its parameters.

    ``architecture`` is the smallest one with the trial's choices where not even that fits,
    and ``fits`` is false then.
    """

    trial: Trial
    architecture: Architecture
    fits: bool


def choose(
    trial: Trial, space: Space, scale: int, meter: Meter, *, by_guess: bool = True
) -> Proposal:
    """The network of a trial, whose parameters come from the queue or from the sampler.

    The sampler chooses among the space's choices, and for each filling dimension which
    share of what the budgets leave; so what it proposes fits, unless the smallest network
    with its choices is too large already. How far over it is goes to the sampler as
    Optuna constraints. Unless ``by_guess``, what a clock will say keeps nothing out.
    """

    def suggest(d: Dimension) -> Label:
        label = trial.suggest_categorical(d.name, d.labels)
        assert label is not None
        return label

    labels = space.choose(suggest)
    fractions = {d.name: trial.suggest_float(FILL + d.name, 0.0, 1.0) for d in space.filling}
    point = space.fill(labels, fractions, scale, meter.fits)
    least: Point = {**labels, **{d.name: d.grid[0] for d in space.filling}}
    architecture = space.architecture(point if point is not None else least, scale)
    over = meter.excess(architecture)
    fits = point is not None or not (
        by_guess or any(excess > 0 and not OBJECTIVES[name].timed for name, excess in over.items())
    )
    for name, excess in over.items():
        # A constraint can be set once: that of what a clock says waits for its measurement.
        if not OBJECTIVES[name].timed or not fits:
            trial.set_constraint(name, excess)
    return Proposal(trial, architecture, fits)


def fixed_parameters(
    space: Space, point: Point, scale: int, meter: Meter
) -> Mapping[str, Label] | None:
    """The study's parameters at which it proposes this point; ``None`` where it does not fit."""
    fractions = space.fractions(point, scale, meter.fits)
    if fractions is None:
        return None
    filling = {d.name for d in space.filling}
    labels = {name: label for name, label in point.items() if name not in filling}
    return {**labels, **{FILL + name: value for name, value in fractions.items()}}
