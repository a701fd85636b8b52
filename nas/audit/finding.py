"""What an audit found, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas.audit.equals import Equals, Saving
from nas.audit.families import HeadStart
from nas.audit.noise import least_difference_db
from nas.audit.price import LEAST_AT_PRICE
from nas.audit.ranking import Estimate
from nas.audit.trust import Trust

__all__ = ["findings"]

_GOOD, _COARSE = 0.8, 0.5
_LABELS = {
    "params": "parameters",
    "macs": "multi-adds",
    "activations": "activations",
    "latency_ms": "latency",
}
_MOST_SETTINGS = 4


def findings(trust: Trust) -> tuple[str, ...]:
    """How far the proxy can be trusted at equal price, first; then what follows from it.

    Then where the plateau ends, which settings are flattered, how much the networks differ
    and the seeds, what else ranks, and what the best quality costs.
    """
    parts = [_proxy(trust), _advice(trust), _flattered(trust), _spread(trust), _noise(trust),
             _others(trust), _costs(trust.equals)]  # fmt: skip
    return tuple(part for part in parts if part)


def _proxy(trust: Trust) -> str:
    tau, ceiling = trust.proxy.tau_at_price, trust.ceiling.tau_at_price
    count = len(trust.hashes)
    if math.isnan(tau.value):
        return (
            f"{count} networks are too few to compare at equal price, which takes at least "
            f"{LEAST_AT_PRICE} and is better with 12 (--networks); over all prices "
            f"{trust.proxy_step} steps rank them at tau {_of(trust.proxy.tau)}, which size alone "
            f"may do."
        )
    told = (
        f"At equal {_price(trust)}, {trust.proxy_step} steps rank {count} networks at tau "
        f"{_of(tau)}"
    )
    if not trust.proxy.crossed:
        return (
            f"{told} against {trust.long_step} steps of the same seed, whose luck they share: "
            f"what is possible only a second seed can tell (--seeds 2)."
        )
    if math.isnan(ceiling.value):
        return f"{told}; what is possible only long trainings in two seeds can tell (--seeds 2)."
    if ceiling.low <= 0:
        return (
            f"{told}, and two long trainings that differ in their seed agree no better than "
            f"chance might ({_of(ceiling)}): at equal price these networks are about equally "
            f"good, so choose among them by cost, or audit more of them."
        )
    return (
        f"{told}, {_of(trust.proxy.of_ceiling)} of the {_of(ceiling)} at which two long "
        f"trainings agree that differ in their seed: {_verdict(trust)}."
    )


def _verdict(trust: Trust) -> str:
    if trust.proxy.tau_at_price.low <= 0:
        return "no better than chance might; it does not tell which of like price will be better"
    ratio = trust.proxy.of_ceiling.value
    if ratio >= _GOOD:
        return "it can be trusted about as far as a long training"
    if ratio >= _COARSE:
        return "it tells good networks from bad ones, not the best from the good"
    return "it hardly tells which network will be better"


def _advice(trust: Trust) -> str:
    """Where the plateau ends and what to do."""
    if not (trust.ceiling.tau_at_price.low > 0 and math.isfinite(trust.proxy.tau_at_price.low)):
        return ""
    tells, half = trust.plateau.tells_from, trust.plateau.half_from
    if tells is None:
        last = trust.rungs[-1].step
        return (
            f"No ranking of {last} steps or fewer tells of {trust.long_step} steps: until then "
            f"networks are ranked by how soon they leave the plateau. Train longer than that, or "
            f"choose by cost."
        )
    if tells > trust.proxy_step:
        use = half or tells
        return (
            f"The plateau ends late: only from {tells} steps on does the ranking tell of "
            f"{trust.long_step}. Train {use / trust.proxy_step:.1f} times longer "
            f"({use} steps{'' if half is None else ', half of the ceiling or more'}), or choose by "
            f"cost."
        )
    told = f"The ranking tells of the long training from {tells} steps on"
    if half is not None and half <= trust.proxy_step:
        return f"{told}, and is half of what is possible or more from {half} on: trust the proxy."
    if half is not None:
        longer = half / trust.proxy_step
        return f"{told}; training {longer:.1f} times longer ({half} steps) tells half or more."
    return f"{told}, but less than half of what is possible: train longer."


def _flattered(trust: Trust) -> str:
    certain = [one for one in trust.settings if one.certain]
    flattered = [one for one in certain if one.flattered_db > 0][:_MOST_SETTINGS]
    wronged = [one for one in reversed(certain) if one.flattered_db < 0][:_MOST_SETTINGS]
    parts = []
    for what, settings in (("flatters", flattered), ("wrongs", wronged)):
        if settings:
            parts.append(f"The proxy {what} {_settings(settings)}.")
    if parts:
        return " ".join(parts)
    if not trust.settings:
        return ""
    return (
        f"No setting of {len(trust.settings)} is flattered or wronged by the proxy beyond three "
        f"standard errors; furthest is {_settings(trust.settings[:1])}."
    )


def _settings(settings: Sequence[HeadStart]) -> str:
    return "; ".join(
        f"{one.setting} by {abs(one.flattered_db):.3f} dB (±{one.error_db:.3f}; at equal price "
        f"{one.early_db:+.3f} at its end, {one.late_db:+.3f} in the end, {one.networks} networks)"
        for one in settings
    )


def _spread(trust: Trust) -> str:
    proxy, long = trust.proxy, trust.ceiling
    if not (math.isfinite(proxy.spread_db) and math.isfinite(proxy.noise_db)):
        return ""
    told = [
        f"{signal.spread_db:.3f} dB after {step} steps, of which seeds make {signal.noise_db:.3f}"
        for signal, step in ((proxy, trust.proxy_step), (long, trust.long_step))
        if math.isfinite(signal.spread_db) and math.isfinite(signal.noise_db)
    ]
    return f"At equal price networks differ by {', and by '.join(told)} (standard deviations)."


def _noise(trust: Trust) -> str:
    if not math.isfinite(trust.noise_db) or not math.isfinite(trust.proxy.noise_db):
        return ""
    return (
        f"Between two networks, less than {least_difference_db(trust.proxy.noise_db):.3f} dB after "
        f"{trust.proxy_step} steps and less than {least_difference_db(trust.noise_db):.3f} dB "
        f"after {trust.long_step} may be the seed alone (95%)."
    )


def _others(trust: Trust) -> str:
    parts = []
    size = next((s for s in trust.signals if s.name == "params"), None)
    if size is not None and math.isfinite(size.tau.value):
        parts.append(
            f"Over all prices {trust.proxy_step} steps rank at tau {_of(trust.proxy.tau)}; the "
            f"parameter count alone does so at {_of(size.tau)}."
        )
    for name, kind in (("Of what is drawn from the rungs", "extrapolated"),
                       ("Of what is known without training", "cheap")):  # fmt: skip
        known = [s for s in trust.signals if s.kind == kind and math.isfinite(s.tau_at_price.value)]
        if known:
            best = max(known, key=lambda s: s.tau_at_price.value)
            beyond = "" if best.tau_at_price.low > 0 else ", no better than chance might"
            parts.append(
                f"{name}, '{best.name}' ranks best at equal price: tau "
                f"{_of(best.tau_at_price)}{beyond}."
            )
    return " ".join(parts)


def _costs(found: Equals | None) -> str:
    if found is None:
        return ""
    if found.count == 1:
        return f"The best network is alone: no other lies within {found.margin_db:.3f} dB of it."
    head = (
        f"{found.count} networks are as good as the best as far as can be told (within "
        f"{found.margin_db:.3f} dB)"
    )
    told = [text for saving in found.savings if (text := _saving(saving))]
    return f"{head}; among them are ones with {' and with '.join(told)}." if told else f"{head}."


def _saving(saving: Saving) -> str:
    # Below this, prices of a like are called like.
    if saving.ratio < 1.05:
        return ""
    return f"{saving.ratio:.1f} times less {_LABELS[saving.cost]}"


def _price(trust: Trust) -> str:
    return " and ".join(_LABELS.get(name, name) for name in trust.prices)


def _of(figure: Estimate) -> str:
    """The value and its interval."""
    if math.isnan(figure.low):
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
