"""Where trainings are kept, and which of the stopped ones are worth their place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nas.explore.context import Context
from nas.explore.rung_figures import ranking
from nas.records import FAILED, FINISHED, STOPPED
from nas.store.ledger import Entry, Standing

__all__ = ["Checkpoints"]

# Weights, their average and Adam's two moments, in float32; buffers and names are little.
_BYTES_A_PARAMETER = 16


class Checkpoints:
    """The checkpoints of a search, named by their network.

    A stopped network may be promoted as long as the search lasts, and when it is given more
    trials. Where all of them would take too much room, those furthest from a promotion go:
    should one of these come up after all, it is trained from the start.
    """

    def __init__(self, context: Context) -> None:
        self._context, self._settings = context, context.settings
        self._forgotten: set[str] = set()

    def path(self, architecture_hash: str) -> Path:
        """Where the training of a network is kept."""
        return self._settings.run / "checkpoints" / f"{architecture_hash}.pt"

    def keep_the_best(self, standing: Standing) -> None:
        """Removes the checkpoints of the least promising stopped networks beyond the limit."""
        limit_mb = self._settings.checkpoints_mb
        stopped = [entry for entry in standing.entries if entry.record.state == STOPPED]
        if sum(map(_size_mb, stopped)) <= limit_mb:
            return
        used_mb = 0.0
        for entry in self._by_promise(standing):
            used_mb += _size_mb(entry)
            name = entry.record.architecture_hash
            if used_mb <= limit_mb:
                self._forgotten.discard(name)
            elif name not in self._forgotten:
                self._forgotten.add(name)
                self._context.trainer.forget(self.path(name))

    def forget_ended(self, standing: Standing) -> None:
        """Removes what a death right after the end of a training left behind."""
        over = (FINISHED, FAILED)
        ended = {e.record.architecture_hash for e in standing.entries if e.record.state in over}
        for path in self.path("any").parent.glob("*.pt"):
            # A dot and the network's name begin that of a half-written one.
            if path.name.lstrip(".").partition(".")[0] in ended:
                self._context.trainer.forget(path)

    def _by_promise(self, standing: Standing) -> Iterator[Entry]:
        for rung in reversed(range(len(self._settings.rung_steps) - 1)):
            for entry in ranking(standing, self._settings, rung):
                if entry.record.state == STOPPED and len(entry.record.rungs) == rung + 1:
                    yield entry


def _size_mb(entry: Entry) -> float:
    return (entry.record.params or 0) * _BYTES_A_PARAMETER / 1e6
