"""What an audit found, in plain sentences."""

from __future__ import annotations

import math

from nas.audit.equals import Band, Saving
from nas.audit.noise import least_difference_db
from nas.audit.ranking import Estimate
from nas.audit.trust import Trust

__all__ = ["findings"]

_GOOD, _COARSE = 0.8, 0.5
_LABELS = {"params": "parameters", "macs": "multi-adds", "latency_ms": "latency"}


def findings(trust: Trust) -> tuple[str, ...]:
    """How far the proxy can be trusted, first; then noise, what else ranks, and what is cheaper."""
    parts = [_proxy(trust), _noise(trust), _others(trust), *_costs(trust)]
    return tuple(part for part in parts if part)


def _proxy(trust: Trust) -> str:
    place = "Within a price band" if len(trust.bands) > 1 else "Over all networks"
    tau, ceiling = trust.proxy.tau_in_bands, trust.ceiling.tau_in_bands
    told = f"{place}, {trust.proxy_step} steps rank {len(trust.hashes)} networks at tau {_of(tau)}"
    if math.isnan(ceiling.value):
        return (
            f"{told} against {trust.long_step} steps of the same seed, whose luck they share: "
            f"what is possible only a second seed can tell (--seeds 2)."
        )
    if ceiling.low <= 0:
        return (
            f"{told}, and two long trainings that differ in their seed agree no better than "
            f"chance might ({_of(ceiling)}): these networks are about equally good, so choose "
            f"among them by cost, or audit more of them."
        )
    ratio = trust.proxy.ratio_in_bands
    if ratio.value >= _GOOD:
        verdict = "it can be trusted about as far as a long training"
    elif ratio.value >= _COARSE:
        verdict = "it tells good networks from bad ones, not the best from the good"
    else:
        verdict = "it hardly tells which network will be better"
    return (
        f"{told}, {_of(ratio)} of the {_of(ceiling)} at which two long trainings agree that "
        f"differ in their seed: {verdict}."
    )


def _noise(trust: Trust) -> str:
    if not math.isfinite(trust.noise_db):
        return ""
    return (
        f"Between two networks, less than {least_difference_db(trust.proxy.noise_db):.3f} dB after "
        f"{trust.proxy_step} steps and less than {least_difference_db(trust.noise_db):.3f} dB "
        f"after {trust.long_step} may be the seed alone (95%)."
    )


def _others(trust: Trust) -> str:
    drawn = [s for s in trust.signals if s.kind == "extrapolated"]
    cheap = [s for s in trust.signals if s.kind == "cheap"]
    parts = []
    for name, signals in (("Of what is drawn from the rungs", drawn),
                          ("Of what is known without training", cheap)):  # fmt: skip
        known = [s for s in signals if math.isfinite(s.tau_in_bands.value)]
        if known:
            best = max(known, key=lambda s: s.tau_in_bands.value)
            parts.append(f"{name}, '{best.name}' ranks best: tau {_of(best.tau_in_bands)}.")
    return " ".join(parts)


def _costs(trust: Trust) -> list[str]:
    return [_cost(band) for band in trust.bands] if math.isfinite(trust.noise_db) else []


def _cost(band: Band) -> str:
    head = (
        f"{band.low_params / 1e3:.0f}K to {band.high_params / 1e3:.0f}K parameters: "
        f"{band.equals} of {band.networks} are as good as the best as far as can be told "
        f"(within {band.margin_db:.3f} dB)"
    )
    told = [text for saving in band.savings if (text := _saving(saving))]
    return f"{head}; among them are ones with {' and with '.join(told)}." if told else f"{head}."


def _saving(saving: Saving) -> str:
    label = _LABELS.get(saving.cost)
    # Below this, prices of a like are called like.
    return f"{saving.ratio:.1f} times less {label}" if label and saving.ratio >= 1.05 else ""


def _of(figure: Estimate) -> str:
    """The value and its interval."""
    if math.isnan(figure.low):
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
