"""Who works on a search, and who places them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nas.explore.events import Observer, SearchEnded
from nas.explore.settings import SearchSettings
from nas.workers.job import WorkerJob

__all__ = ["Crew", "Engine"]


@dataclass(frozen=True)
class Crew:
    """Who works on a search.

    Attributes:
        workers: how many; ``None`` for as many as are fastest, 0 for none but those that join
            by themselves.
        engine: who places them, a name in ``nas.workers.engines.ENGINES``.
        address: of a Ray cluster, ``None`` for the one that Ray finds, or a new one.
        cpus_per_worker: CPUs that a worker requests of Ray, and threads that it computes with.
        gpus_per_worker: GPUs that a worker requests of Ray; several share one by fractions.
    """

    workers: int | None = None
    engine: str = "local"
    address: str | None = None
    cpus_per_worker: int = 1
    gpus_per_worker: float = 0.0


class Engine(Protocol):
    """Places workers and looks after them."""

    def check(self, settings: SearchSettings, crew: Crew) -> Crew:
        """The crew with its number of workers filled in.

        Raises:
            InputError: it cannot be placed, or not with this store.
        """

    def run(self, job: WorkerJob, crew: Crew, logs: Path, observer: Observer) -> SearchEnded | None:
        """Has the crew work on a study until all are through.

        Args:
            job: what each worker is told.
            crew: from ``check``.
            logs: folder for what the workers print.
            observer: told what happens, in this thread.

        Returns:
            How the last of them ended the search, if one did.

        Raises:
            InputError: no worker can go on.
        """
