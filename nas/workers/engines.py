"""The engines by name."""

from __future__ import annotations

from collections.abc import Mapping

from nas.workers.crew import Engine
from nas.workers.local import LocalEngine
from nas.workers.ray_engine import RayEngine

__all__ = ["ENGINES"]

ENGINES: Mapping[str, Engine] = {
    "local": LocalEngine(),
    "ray": RayEngine(),
}
