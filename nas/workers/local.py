"""Workers in processes of this machine."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nas.explore.events import Observer, SearchEnded, TrialEnded
from nas.explore.settings import SearchSettings
from nas.stopping import current_wish
from nas.workers.crew import Crew
from nas.workers.job import WorkerJob
from nas.workers.messages import Message
from nas.workers.process import Gone, WorkerProcess
from nas.workers.shares import default_workers, shares, this_machine
from nas.workers.team import Team

__all__ = ["LocalEngine"]

_STOP_SECONDS = 60.0
_KILLED_SECONDS = 5.0
_LOOK_SECONDS = 0.2


class LocalEngine:
    """Workers in processes of this machine, its cores and GPUs shared out among them.

    A worker that dies is replaced. On a wish to stop all save their checkpoints, and a second
    one kills them.
    """

    def check(self, settings: SearchSettings, crew: Crew) -> Crew:
        machine = this_machine(settings.device)
        workers = crew.workers
        if workers is None:
            workers = default_workers(machine, settings.recipe.steps)
        if workers:
            shares(workers, machine)
        return replace(crew, workers=workers)

    def run(self, job: WorkerJob, crew: Crew, logs: Path, observer: Observer) -> SearchEnded | None:
        each = shares(crew.workers or 1, this_machine(job.device))
        inbox: queue.SimpleQueue[tuple[int, Message | Gone]] = queue.SimpleQueue()
        team = Team(len(each), observer)
        began = time.monotonic()

        def start(worker: int) -> WorkerProcess:
            share, later = each[worker], job.after(time.monotonic() - began)
            return WorkerProcess(
                replace(later, device="cuda" if share.gpu else job.device),
                share.environment,
                logs / f"worker-{worker}.log",
                lambda said: inbox.put((worker, said)),
            )

        running: dict[int, WorkerProcess] = {}
        wish = current_wish()
        try:
            for worker in range(len(each)):
                running[worker] = start(worker)
            while team.at_work:
                wish.heed()
                try:
                    worker, said = inbox.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    continue
                if team.take(worker, said):
                    running[worker] = start(worker)
        finally:
            _stop(list(running.values()))
            _drain(inbox, observer)
        return team.ended


def _stop(workers: Sequence[WorkerProcess]) -> None:
    for worker in workers:
        worker.stop()
    try:
        end = time.monotonic() + _STOP_SECONDS
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))
    finally:
        for worker in workers:
            worker.kill()
        for worker in workers:
            # A process of its own may still hold its output.
            worker.join(_KILLED_SECONDS)


def _drain(inbox: queue.SimpleQueue[tuple[int, Message | Gone]], observer: Observer) -> None:
    """What was finished before the end is told."""
    with suppress(queue.Empty):
        while True:
            _, said = inbox.get_nowait()
            if isinstance(said, TrialEnded):
                observer(said)
