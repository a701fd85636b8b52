"""Workers that Ray places on the nodes of a cluster."""

from __future__ import annotations

import os
import queue
import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from nas.explore.events import Observer, SearchEnded, TrialEnded
from nas.explore.settings import SearchSettings
from nas.stopping import current_wish, kept_handlers
from nas.store.database import is_server
from nas.workers.crew import Crew
from nas.workers.job import WorkerJob
from nas.workers.messages import Message
from nas.workers.process import Gone, WorkerProcess
from nas.workers.shares import Share
from nas.workers.team import Team
from search_spaces.errors import InputError, MissingExtra

__all__ = ["RayEngine"]

_STOP_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_WAIT_SECONDS = 1.0


class RayEngine:
    """An actor for each worker, spread over the nodes; each starts a worker's process beside it.

    A node that dies takes its workers with it: Ray places new ones elsewhere, and the store's
    leases see to it that their networks are taken up.
    """

    def check(self, settings: SearchSettings, crew: Crew) -> Crew:
        _ray()
        if crew.cpus_per_worker < 1:
            raise InputError(f"cpus per worker: expected at least 1, got {crew.cpus_per_worker}")
        if crew.gpus_per_worker < 0:
            raise InputError(f"gpus per worker: expected at least 0, got {crew.gpus_per_worker}")
        if crew.address is not None and (
            settings.storage is None or not is_server(settings.storage)
        ):
            raise InputError(
                "engine ray with --address: its nodes need a store that all of them reach; give "
                "--storage postgresql://..."
            )
        return crew

    def run(self, job: WorkerJob, crew: Crew, logs: Path, observer: Observer) -> SearchEnded | None:
        ray = _ray()
        # Ray would take SIGTERM over.
        with kept_handlers(), current_wish().at_once():
            _connect(ray, crew)
        try:
            return _Placed(ray, job, _count(ray, crew), observer).work()
        finally:
            ray.shutdown()


class _Placed:
    """The actors of one search and what they say."""

    def __init__(self, ray: Any, job: WorkerJob, crew: Crew, observer: Observer) -> None:
        self._ray, self._job, self._crew, self._tell = ray, job, crew, observer
        self._size = crew.workers or 1
        self._team = Team(self._size, observer)
        self._began = time.monotonic()
        self._actors: dict[int, Any] = {}
        self._asked: dict[Any, int] = {}
        self._there: set[int] = set()

    def work(self) -> SearchEnded | None:
        try:
            for worker in range(self._size):
                self._place(worker)
            wish = current_wish()
            while self._goes_on():
                wish.heed()
                ready, _ = self._ray.wait(list(self._asked), num_returns=1, timeout=_WAIT_SECONDS)
                for answer in ready:
                    self._take(answer)
        finally:
            self._stop()
        return self._team.ended

    def _goes_on(self) -> bool:
        # A replacement that waits for a free node is not waited for, once others are through.
        at_work = self._team.at_work
        return bool(at_work if self._team.ended is None else at_work & self._there)

    def _place(self, worker: int) -> None:
        self._there.discard(worker)
        job, crew = self._job.after(time.monotonic() - self._began), self._crew
        # What Ray grants decides; and what lies where, each node sees for itself.
        device = "cuda" if crew.gpus_per_worker > 0 else "cpu"
        job = replace(job, device=device, run=None)
        actor = self._ray.remote(RayWorker).options(
            num_cpus=crew.cpus_per_worker,
            num_gpus=crew.gpus_per_worker,
            scheduling_strategy="SPREAD",
            max_concurrency=2,
        )
        self._actors[worker] = actor.remote(job, crew.cpus_per_worker, worker)
        self._ask(worker)

    def _ask(self, worker: int) -> None:
        self._asked[self._actors[worker].listen.remote()] = worker

    def _take(self, answer: Any) -> None:
        worker = self._asked.pop(answer)
        try:
            messages: list[Message | Gone] = self._ray.get(answer)
            self._there.add(worker)
        except self._ray.exceptions.RayError as error:
            line = str(error).strip().splitlines()[0]
            messages = [Gone(-9, f"its actor or node died: {line}")]
        again = False
        for message in messages:
            again = self._team.take(worker, message) or again
        if again:
            self._place(worker)
        elif worker in self._team.at_work:
            self._ask(worker)

    def _stop(self) -> None:
        """Has all workers save their checkpoints; tells what was finished in the meantime."""
        errors = self._ray.exceptions.RayError
        last = [self._actors[worker].stop.remote() for worker in self._there]
        done, _ = (
            self._ray.wait(last, num_returns=len(last), timeout=_STOP_SECONDS) if last else ([], [])
        )
        for answer in done:
            try:
                for message in self._ray.get(answer):
                    if isinstance(message, TrialEnded):
                        self._tell(message)
            except errors:
                continue
        for actor in self._actors.values():
            self._ray.kill(actor)


class RayWorker:
    """Looks after one worker's process on whatever node Ray has placed it.

    Args:
        job: what the worker is told.
        threads: that it computes with.
        number: of the worker, for the name of its log.
    """

    def __init__(self, job: WorkerJob, threads: int, number: int) -> None:
        self._inbox: queue.SimpleQueue[Message | Gone] = queue.SimpleQueue()
        log = Path(tempfile.gettempdir()) / f"nas-ray-{os.getpid()}-{number}.log"
        # Ray has set CUDA_VISIBLE_DEVICES in this process; the worker's inherits it.
        self._process = WorkerProcess(job, Share(threads).environment, log, self._inbox.put)

    def listen(self) -> list[Message | Gone]:
        """What the worker has said since; waits for something, or a while."""
        messages: list[Message | Gone] = []
        try:
            messages.append(self._inbox.get(timeout=_LOOK_SECONDS))
            while True:
                messages.append(self._inbox.get_nowait())
        except queue.Empty:
            return messages

    def stop(self) -> list[Message | Gone]:
        """Has the worker save its checkpoint and end; what it said last."""
        self._process.stop()
        self._process.join(_STOP_SECONDS)
        return self.listen()


def _ray() -> Any:
    """Ray, with nothing sent home.

    Raises:
        InputError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtra("engine ray: Ray is not installed; install the extra", "ray") from None
    return ray


def _connect(ray: Any, crew: Crew) -> None:
    import logging

    if crew.address is not None:
        _probe(crew.address)
    # Here, a cluster of this machine alone is begun where there is none.
    options: dict[str, Any] = {"address": crew.address} if crew.address is not None else {}
    if crew.address is None and "RAY_ADDRESS" not in os.environ:
        options = {"include_dashboard": False}
    try:
        ray.init(
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
            **options,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        line = str(error).strip().splitlines()[0]
        raise _no_cluster(crew.address or "this machine", line) from None


def _probe(address: str) -> None:
    """Ray itself would wait for minutes where nobody answers."""
    host, _, port = address.rpartition(":")
    if "/" in address or not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10.0).close()
    except OSError as error:
        raise _no_cluster(address, error.strerror or str(error)) from None


def _no_cluster(where: str, reason: str) -> InputError:
    return InputError(
        f"engine ray: no cluster at {where}: {reason}; expected the address that ray start --head "
        f"printed"
    )


def _count(ray: Any, crew: Crew) -> Crew:
    """As many workers as the cluster holds where the crew does not say.

    Raises:
        InputError: it does not hold so many.
    """
    there = ray.cluster_resources()
    most = int(there.get("CPU", 0)) // crew.cpus_per_worker
    if crew.gpus_per_worker > 0:
        most = min(most, int(there.get("GPU", 0) / crew.gpus_per_worker + 1e-9))
    workers = most if crew.workers is None else crew.workers
    if workers < 1 or workers > most:
        held = f"{there.get('CPU', 0):g} CPUs, {there.get('GPU', 0):g} GPUs"
        raise InputError(
            f"workers: {workers or 1} are more than the Ray cluster holds ({held}); expected at "
            f"most {most}"
        )
    return replace(crew, workers=workers)
