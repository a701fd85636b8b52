"""How the events of a search or a training are shown: a display, plain lines, or JSON lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

__all__ = ["print_json", "shown"]


class _Display(Protocol):
    def observe(self, event: Any) -> None: ...

    def stop(self) -> None: ...


@contextmanager
def shown(
    json_lines: bool, plain: Callable[[Any], None], display: Callable[[], _Display]
) -> Iterator[Callable[[Any], None]]:
    """JSON lines where asked for, a live display on a terminal, else plain lines."""
    if json_lines or not sys.stderr.isatty():
        yield print_json if json_lines else plain
        return
    live = display()
    try:
        yield live.observe
    finally:
        live.stop()


def print_json(event: Any) -> None:
    """One JSON object a line on standard output; single training steps are left out."""
    kind = type(event).__name__
    if kind != "TrainingStep":
        print(json.dumps({"event": kind, **asdict(event)}), flush=True)
