"""A turn that ended before its time: is what was found in it still this worker's?"""

from __future__ import annotations

from nas.explore.context import Context
from nas.explore.plan import Job
from nas.records import DUPLICATE, REJECTED, SURPLUS
from nas.store.leases import Lease
from nas.store.ledger import ROOT, Ledger, Standing
from nas.store.study import fail

__all__ = ["is_ours"]


def is_ours(context: Context, job: Job, before: Standing, ledger: Ledger, lease: Lease) -> bool:
    """Whether a job that was found in a turn cut short is to be done; ends it where it is not.

    A database that goes down gives the turn to another worker while this one still finds its job.
    The other one may have found the same network, or the last one that was missing.

    Args:
        context: of the search.
        job: that was found, and is not begun.
        before: the standing on which it was found.
        ledger: of the study.
        lease: this worker's.

    Raises:
        UpdateFinishedTrialError: another worker has taken this one for dead.
    """
    while True:
        with lease.turn():
            reason = _objection(job, before, ledger.read(), context.settings.trials)
            if reason:
                # An entry of its own: the network's is the other one.
                job.trial.set_user_attr(ROOT, job.trial.number)
                fail(context.study, job.trial, REJECTED, reason)
            if reason or lease.has_turn():
                return not reason


def _objection(job: Job, before: Standing, now: Standing, goal: int) -> str:
    number = job.trial.number
    known = {record.number for record in before.records} | {number}
    for record in now.records:
        same = record.architecture_hash == job.record.architecture_hash
        if same and record.number not in known and record.state != REJECTED:
            return DUPLICATE
    is_new = now.entry(number).root == number
    return SURPLUS if is_new and now.begun > goal else ""
