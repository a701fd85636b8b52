"""The engines by name."""

from __future__ import annotations

from collections.abc import Mapping

from nas.explore.workers.crew import Engine
from nas.explore.workers.local import LocalEngine

__all__ = ["ENGINES"]

ENGINES: Mapping[str, Engine] = {
    "local": LocalEngine(),
}
