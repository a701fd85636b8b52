"""What a network is worth: training, quality, latency, memory.

A function that bears its module's name is imported from there: ``nas.evaluate.train.train``,
``validate.validate``, ``environment.environment``, ``upscale.upscale``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.evaluate.environment import Environment
    from nas.evaluate.latency import LatencyResult, measure_latency
    from nas.evaluate.memory import peak_memory_mb
    from nas.evaluate.quality import psnr_y_db, ssim_y
    from nas.evaluate.recipe import PROFILES, Recipe, profile
    from nas.evaluate.state import TrainState, seeded, start
    from nas.evaluate.train import Diverged
    from nas.evaluate.validate import Quality, bicubic_quality

__all__ = [
    "PROFILES",
    "Diverged",
    "Environment",
    "LatencyResult",
    "Quality",
    "Recipe",
    "TrainState",
    "bicubic_quality",
    "measure_latency",
    "peak_memory_mb",
    "profile",
    "psnr_y_db",
    "seeded",
    "ssim_y",
    "start",
]

# torch takes a second to load: what needs it is imported when first asked for.
_HOME = {
    "PROFILES": "recipe",
    "Diverged": "train",
    "Environment": "environment",
    "LatencyResult": "latency",
    "Quality": "validate",
    "Recipe": "recipe",
    "TrainState": "state",
    "bicubic_quality": "validate",
    "measure_latency": "latency",
    "peak_memory_mb": "memory",
    "profile": "recipe",
    "psnr_y_db": "quality",
    "seeded": "state",
    "ssim_y": "quality",
    "start": "state",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
