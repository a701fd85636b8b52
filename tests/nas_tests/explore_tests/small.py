"""Searches that train very small networks for a moment, and what they came to."""

from __future__ import annotations

from typing import Any

from nas.explore.events import Event, SearchEnded
from nas.run import Run
from nas.training.recipe import Recipe

__all__ = ["SMALL", "bits", "ending"]

SMALL: dict[str, Any] = {
    "space": "tiny",
    "recipe": Recipe(steps=12, batch=1, lr_size=8, warmup_steps=0),
    "latency_size": (8, 8),
}


def bits(run: Run) -> list[tuple[int, str, str, str]]:
    """What has to be equal between two searches, to the last bit."""
    return [
        (r.number, r.architecture_hash, r.state, f"{r.psnr_y_db!r} {r.ssim_y!r}")
        for r in run.records()
    ]


def ending(events: list[Event]) -> SearchEnded:
    last = events[-1]
    assert isinstance(last, SearchEnded)
    return last
