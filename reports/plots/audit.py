"""The picture of an audit: short trainings against long ones, and how well everything ranks.

:func:`audit_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from nas.audit.ranking import Estimate
from nas.audit.trust import Signal, Trust

__all__ = ["AuditInfo", "Bar", "Cloud", "Scatter", "audit_info"]


class Cloud(NamedTuple):
    """The networks of one price band: (rung, long training) PSNR-Y, dB each."""

    label: str
    points: tuple[tuple[float, float], ...]


class Scatter(NamedTuple):
    """One rung against the long training.

    Attributes:
        axis_label: of the rung's axis.
        legend: Kendall's tau, overall and in bands.
        clouds: one a price band, the cheapest first.
        noise_db: standard deviation between seeds of the rung; NaN: unknown.
    """

    axis_label: str
    legend: str
    clouds: tuple[Cloud, ...]
    noise_db: float


class Bar(NamedTuple):
    """How well one signal ranks: its name and its taus, overall and in bands."""

    label: str
    kind: str
    tau: Estimate
    tau_in_bands: Estimate


class AuditInfo(NamedTuple):
    """All that the figure says.

    Attributes:
        title: over everything.
        subtitle: how the networks were trained.
        scatters: the first rung, if there is one, and the proxy's end.
        long_label: of the long training's axis.
        long_noise_db: standard deviation of a point along it; NaN: unknown.
        bars: rungs, what is drawn from them, cheap signals.
        ceiling: tau in bands of two long trainings; NaN: unknown.
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
    rungs = [signal for signal in trust.signals if signal.kind == "rung"]
    first, proxy = rungs[0], trust.proxy
    shown = [proxy] if first is proxy else [first, proxy]
    seeds = len(trust.seeds)
    mean = f", mean of {seeds} seeds" if seeds > 1 else ""
    finite = [math.isfinite(value) for value in trust.long_db]
    bands = len(trust.bands)
    return AuditInfo(
        title,
        f"{len(trust.hashes)} networks, {trust.proxy_step} steps against {trust.long_step}"
        f"{f', {bands} bands of parameters' if bands > 1 else ''}",
        tuple(_scatter(trust, signal) for signal in shown),
        f"PSNR-Y after {trust.long_step} steps{mean} [dB]",
        trust.noise_db / math.sqrt(seeds),
        tuple(Bar(_name(s), s.kind, s.tau, s.tau_in_bands) for s in trust.signals),
        trust.ceiling.tau_in_bands,
        finite.count(False),
    )


def _scatter(trust: Trust, signal: Signal) -> Scatter:
    values = trust.rung_db[signal.step]
    clouds = []
    for label, band in enumerate(trust.bands):
        points = tuple(
            (x, y)
            for x, y, of in zip(values, trust.long_db, trust.band, strict=True)
            if of == label and math.isfinite(x) and math.isfinite(y)
        )
        low, high = (f"{figure / 1e3:.0f}" for figure in (band.low_params, band.high_params))
        clouds.append(Cloud(f"{low} to {high} K", points))
    return Scatter(
        f"PSNR-Y after {signal.step} steps [dB]",
        f"tau {_text(signal.tau)}, in bands {_text(signal.tau_in_bands)}",
        tuple(clouds),
        signal.noise_db,
    )


def _name(signal: Signal) -> str:
    if signal.kind == "rung":
        return f"{signal.step} steps{' (proxy)' if signal.name == 'proxy' else ''}"
    return signal.name


def _text(found: Estimate) -> str:
    return f"{found.value:.2f}" if math.isfinite(found.value) else "unknown"
