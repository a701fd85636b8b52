"""What several workers say, as one search; and what becomes of the dead among them."""

from __future__ import annotations

from nas.explore.events import (
    NetworksMeasured,
    Observer,
    SearchEnded,
    SearchStarted,
    TrialEnded,
    WorkerLost,
)
from nas.workers.messages import Failed, Message
from nas.workers.process import Gone
from search_spaces.errors import InputError

__all__ = ["Team"]

_DEATHS_EACH = 4
"""So many deaths a worker, with no network finished in between, are no accident."""


class Team:
    """The messages of ``size`` workers as those of one search, and what becomes of the dead."""

    def __init__(self, size: int, observer: Observer) -> None:
        self._size, self._tell = size, observer
        self._started, self._deaths, self._bad_luck = False, 0, 0
        self.at_work = set(range(size))
        self.ended: SearchEnded | None = None

    def take(self, worker: int, message: Message | Gone) -> bool:
        """Takes a message in. Returns whether this worker has to be replaced.

        Raises:
            InputError: the search cannot go on.
        """
        if isinstance(message, Failed):
            raise InputError(message.line)
        if isinstance(message, Gone):
            return self._gone(worker, message)
        if isinstance(message, SearchEnded):
            if self.ended is None or message.trained >= self.ended.trained:
                self.ended = message
        elif isinstance(message, SearchStarted):
            if not self._started:
                self._tell(message)
            self._started = True
        elif not isinstance(message, NetworksMeasured):
            if isinstance(message, TrialEnded):
                self._deaths = self._bad_luck = 0
            self._tell(message)
        return False

    def _gone(self, worker: int, gone: Gone) -> bool:
        if gone.well:
            self.at_work.discard(worker)
            return False
        self._deaths += 1
        # One that a fault of the program ended would end so again.
        self._bad_luck += 1 if gone.code < 0 else _DEATHS_EACH
        again = self._bad_luck <= _DEATHS_EACH * self._size
        self._tell(WorkerLost(worker, gone.reason, again))
        if not again:
            raise InputError(
                f"{self._deaths} workers died one after the other and finished no network, the "
                f"last one: {gone.reason}; what was finished is kept: try fewer --workers"
            )
        return True
