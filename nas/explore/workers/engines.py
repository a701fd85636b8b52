"""The engines by name."""

from __future__ import annotations

from collections.abc import Mapping

from nas.explore.workers.crew import Engine
from nas.explore.workers.local import LocalEngine
from nas.explore.workers.ray_engine import RayEngine

__all__ = ["ENGINES"]

ENGINES: Mapping[str, Engine] = {
    "local": LocalEngine(),
    "ray": RayEngine(),
}
