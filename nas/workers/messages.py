"""What a worker's process says to the one that started it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO

from nas.explore.events import Event, TrainingStep

__all__ = ["Failed", "Message", "Sender", "receive"]

_STEP_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker cannot go on, and no other could either: one line for the user."""

    line: str


Message = Event | Failed


class Sender:
    """Writes messages into a pipe; of a training's steps only as many as an eye can follow."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._stepped = pipe, 0.0

    def __call__(self, message: Message) -> None:
        if isinstance(message, TrainingStep):
            now = time.monotonic()
            if now - self._stepped < _STEP_SECONDS and message.step < message.steps:
                return
            self._stepped = now
        pickle.dump(message, self._pipe)
        self._pipe.flush()


def receive(pipe: IO[bytes]) -> Iterator[Message]:
    """The messages until the other side ends; one that is cut short by its death is none."""
    while True:
        try:
            # From our own process, over a pipe that nobody else can write to.
            yield pickle.load(pipe)
        except (EOFError, pickle.UnpicklingError, OSError, ValueError):
            return
