"""One of two searches that share a study, and are interrupted and begun again and again.

Says "at work" when it has ended a trial, and "left" when an interruption has let go of it.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from pathlib import Path

from nas.explore.events import Event, TrialEnded
from tests.nas_tests.explore_tests.made_up import kept

A_STUDY = 5
"""Interruptions."""


class Said(list[Event]):
    """Of what a search tells, only that it is at work."""

    at_work = False

    def append(self, event: Event) -> None:
        if isinstance(event, TrialEnded) and not self.at_work:
            self.at_work = True
            print("at work", flush=True)


def main(folder: Path, url: str | None) -> None:
    """Searches until whoever started it ends its standard input; often in a new, small study."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    # A polite kill that finds no search would end it; as Ctrl-C it shows in what it says.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    for k in itertools.count():
        name = f"run{k // A_STUDY}"
        try:
            kept(folder / name, 10**6, events=Said(), storage=url, study=name)
        except KeyboardInterrupt:
            print("left", flush=True)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
