"""The picture of an audit: short trainings against long ones, and how well everything ranks.

:func:`audit_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from nas.audit.ranking import Estimate
from nas.audit.trust import Signal, Trust

__all__ = ["AuditInfo", "Bar", "Scatter", "audit_info"]


class Scatter(NamedTuple):
    """One rung against the long training, at equal price.

    Attributes:
        axis_label: of the rung's axis.
        legend: Kendall's tau at equal price.
        points: (rung, long training) lead over networks of like price, dB each; where there is
            nothing to tell at equal price, none.
        noise_db: standard deviation of a point along the rung's axis; NaN: unknown.
    """

    axis_label: str
    legend: str
    points: tuple[tuple[float, float], ...]
    noise_db: float


class Bar(NamedTuple):
    """How well one signal ranks: its name and its taus, at equal price and overall."""

    label: str
    kind: str
    tau_at_price: Estimate
    tau: Estimate


class AuditInfo(NamedTuple):
    """All that the figure says.

    Attributes:
        title: over everything.
        subtitle: how the networks were trained, and where the plateau ends.
        scatters: the first rung, if there is one, and the proxy's end.
        long_label: of the long training's axis.
        long_noise_db: standard deviation of a point along it; NaN: unknown.
        bars: rungs, what is drawn from them, cheap signals.
        ceiling: tau at equal price of two long trainings; NaN: unknown.
        diverged: networks without a place in the picture.
    """

    title: str
    subtitle: str
    scatters: tuple[Scatter, ...]
    long_label: str
    long_noise_db: float
    bars: tuple[Bar, ...]
    ceiling: Estimate
    diverged: int


def audit_info(trust: Trust, title: str) -> AuditInfo:
    """What the figure of an audit says."""
    first, proxy = trust.rungs[0], trust.proxy
    shown = [proxy] if first is proxy else [first, proxy]
    seeds = len(trust.seeds)
    mean = f", mean of {seeds} seeds" if seeds > 1 else ""
    return AuditInfo(
        title,
        f"{len(trust.hashes)} networks, {trust.proxy_step} steps against {trust.long_step}"
        f"{_plateau(trust)}",
        tuple(_scatter(trust, signal) for signal in shown),
        f"Lead after {trust.long_step} steps{mean} [dB]",
        trust.noise_db / math.sqrt(seeds) if seeds else math.nan,
        tuple(Bar(_name(s), s.kind, s.tau_at_price, s.tau) for s in trust.signals),
        trust.ceiling.tau_at_price,
        sum(not math.isfinite(value) for value in trust.long_db),
    )


def _plateau(trust: Trust) -> str:
    if not trust.ceiling.tau_at_price.low > 0:
        return ""
    tells = trust.plateau.tells_from
    if tells is None:
        return f"; no rung of {trust.rungs[-1].step} steps or fewer tells of the long training"
    return f"; tells of the long training from {tells} steps on"


def _scatter(trust: Trust, signal: Signal) -> Scatter:
    pairs = zip(trust.rung_leads[signal.step], trust.long_leads, strict=True)
    points = tuple((x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y))
    return Scatter(
        f"Lead after {signal.step} steps [dB]",
        f"at equal price, tau {_text(signal.tau_at_price)}",
        points,
        signal.noise_db,
    )


def _name(signal: Signal) -> str:
    if signal.kind == "rung":
        return f"{signal.step} steps{' (proxy)' if signal.name == 'proxy' else ''}"
    return signal.name


def _text(found: Estimate) -> str:
    if not math.isfinite(found.value):
        return "unknown"
    if not math.isfinite(found.low):
        return f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
