"""The score of the NTIRE challenge on efficient super-resolution: time, multi-adds and parameters.

The rules of 2026: 0.8 exp(2 t/t') + 0.1 exp(2 F/F') + 0.1 exp(2 P/P'), less being better, with t',
F' and P' those of the challenge's baseline, SPAN with 28 channels, which itself has e^2 = 7.389.
The challenge is held at x4 on RGB images; elsewhere the baseline is SPAN as it is built for that
scale, and for luma alone: a network is held against one that does the same work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from search_spaces import Architecture, preset, price

__all__ = ["BASELINE", "Baseline", "EsrScore", "baseline_network"]

BASELINE = "span"
"""The preset that all scores are relative to."""

_OF_TIME, _OF_MACS, _OF_PARAMS = 0.8, 0.1, 0.1

_MOST = 350.0
"""A ratio beyond this would be no number any more; so far behind nobody is ranked."""


@cache
def baseline_network(scale: int, colors: int) -> Architecture:
    """SPAN for these outputs.

    Args:
        scale: 1, 2, 3 or 4.
        colors: 3 for RGB, 1 for luma.
    """
    span = preset(BASELINE, scale)
    if colors == span.colors:
        return span
    # Its mean is of as many colours; without one it costs the same.
    return Architecture.from_dict({**span.to_dict(), "colors": colors, "mean": None})


@dataclass(frozen=True, slots=True)
class EsrScore:
    """A network's score and what it is made of, each as a multiple of the baseline's.

    Attributes:
        time: of one forward pass.
        macs: multiply-adds.
        params: parameters.
    """

    time: float
    macs: float
    params: float

    @property
    def score(self) -> float:
        """More than 1; the baseline's is 7.389."""
        parts = ((_OF_TIME, self.time), (_OF_MACS, self.macs), (_OF_PARAMS, self.params))
        return sum(weight * math.exp(2 * min(ratio, _MOST)) for weight, ratio in parts)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What SPAN costs: the yardstick of all scores that are to be compared.

    Attributes:
        network: from `baseline_network`.
        latency_ms: its forward pass, measured on the same machine, as the others' are.
    """

    network: Architecture
    latency_ms: float

    def score(self, arch: Architecture, latency_ms: float) -> EsrScore:
        """Of a network as it is, not folded, of this scale and these colours."""
        own, base = price(arch), price(self.network)
        return EsrScore(
            latency_ms / self.latency_ms, own.macs / base.macs, own.params / base.params
        )
