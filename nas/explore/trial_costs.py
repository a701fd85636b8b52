"""What a trial's network costs, found out where whoever watches is told of it."""

from __future__ import annotations

from contextlib import suppress

from nas.explore.context import Context
from nas.explore.events import MachineBusy, Observer, TrialMeasuring
from nas.records import TrialRecord
from nas.stopping import StopWish
from search_spaces import Architecture
from search_spaces.errors import NotPossible

__all__ = ["TrialCosts"]


class TrialCosts:
    """Measures the networks of one worker.

    Args:
        context: of the search.
        tell: told of each measurement before it, and once of a busy machine.
        wish: to stop, which is heeded in measurements.

    Attributes:
        over: of the networks measured so far, so many in a row were over a budget.
    """

    def __init__(self, context: Context, tell: Observer, wish: StopWish) -> None:
        self._context, self._tell, self._wish = context, tell, wish
        self.over = 0

    def complete(self, record: TrialRecord, architecture: Architecture) -> TrialRecord:
        """The record with all figures.

        Raises:
            NotPossible: the device behind a command cannot be asked for this network.
            InputError: it does not answer.
        """
        context, meter = self._context, self._context.meter
        if meter.measures:
            self._tell(TrialMeasuring(record.number, self.over))
        with self._wish.at_once():
            figures = meter.measure(architecture)
        if context.settings.weighs_latency and (times := meter.busy_news()) is not None:
            self._tell(MachineBusy(times))
        return figures.complete(record, context.made_with(figures))

    def if_possible(self, record: TrialRecord, architecture: Architecture) -> TrialRecord:
        """The same, or the record with its prices alone: a figure that nobody weighs is missed."""
        with suppress(NotPossible):
            return self.complete(record, architecture)
        return record
