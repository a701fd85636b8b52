"""Where the photos and the published weights of the benchmarks lie."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["research_data"]


def research_data() -> Path:
    """The folder that ``SR_DATA`` names, with ``train/``, ``test/`` and ``checkpoints/``."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("SR_DATA", beside))
