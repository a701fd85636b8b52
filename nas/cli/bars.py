"""Progress on a terminal: bars, rates and times left, drawn no oftener than a person sees."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nas.cli.console import PlainConsole

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["Throttle", "bar", "bars", "duration", "pace", "steps_bars", "time_left"]

# Drawing each of a thousand quick steps would cost more than they do.
_BETWEEN_S = 0.1


class Throttle:
    """Says when it is time to draw again."""

    def __init__(self) -> None:
        self._drawn = -math.inf

    def due(self, *, last: bool = False) -> bool:
        """Whether to draw now; the last step is always drawn."""
        now = time.monotonic()
        if now - self._drawn < _BETWEEN_S and not last:
            return False
        self._drawn = now
        return True


def duration(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def pace(done: int, seconds: float) -> str:
    """Steps a second."""
    return f"{done / seconds if seconds > 0 else 0.0:.1f} steps/s"


def time_left(done: int, to_do: int, seconds: float) -> str:
    """How long the rest takes at the pace so far; nothing before there is one."""
    return f"about {duration(seconds / done * to_do)} left" if done > 0 and seconds > 0 else ""


def steps_bars() -> Progress:
    """Bars on standard error with the fields ``facts`` and ``left``; not started."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[facts]}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", style="cyan"),
        console=PlainConsole(stderr=True),
    )


def bars(*columns: ProgressColumn, transient: bool = True) -> Progress:
    """Bars on standard error where a person watches, else nothing; not started."""
    from rich.progress import Progress

    console = PlainConsole(stderr=True)
    return Progress(*columns, console=console, transient=transient, disable=not console.is_terminal)


@contextmanager
def bar(title: str, total: int | None) -> Iterator[Callable[..., None]]:
    """One such bar, none for a total of 0; calls take (done, of)."""
    with bars() as progress:
        task = progress.add_task(title, total=total, visible=total != 0)

        def advance(done: int, of: int | None = None) -> None:
            progress.update(task, completed=done, total=of or total)

        yield advance
