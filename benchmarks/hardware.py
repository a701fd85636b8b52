"""The header of every benchmark's result: machine, versions, revision, time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nas.evaluate.environment import environment
from search_spaces.files import atomic_path

__all__ = ["RESULTS", "header", "header_line", "write_result"]

RESULTS = Path(__file__).resolve().parent / "results"


def header() -> dict[str, Any]:
    """The environment and the time, ready for JSON."""
    return {"measured": datetime.now(UTC).isoformat(timespec="minutes"), **environment().to_dict()}


def header_line() -> str:
    """The same on one line for a terminal."""
    e = environment()
    return (
        f"{e.device}, {e.cores} cores, {e.threads} threads, torch {e.versions['torch']}, "
        f"Python {e.python}, revision {e.revision}"
    )


def write_result(name: str, figures: dict[str, Any]) -> Path:
    """``results/NAME.json``: the header, then the figures."""
    path = RESULTS / f"{name}.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"made_with": header(), **figures}, indent=2) + "\n")
    return path
