"""Workers are killed at random, and the database goes down: what is lost, what is done twice?

``python -m benchmarks.kill_workers``: 4 workers, 200 short trainings, 50 times ``kill -9`` for a
random worker, once over PostgreSQL with a restart of the server in between (as on several
machines: ``nas worker`` processes that know only the URL), once over the store embedded in the
run folder with local workers. Every training step is written down, and accounted for at the end.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from benchmarks.hardware import header_line, write_result
from benchmarks.postgres import Server, find_programs
from benchmarks.step_account import read_account
from nas.explore.settings import SearchSettings, make_settings
from nas.records import FAILED, FINISHED, INTERRUPTED, RUNNING
from nas.training.recipe import Recipe
from search_spaces import Space

__all__ = ["check", "kill_embedded", "kill_postgres", "workers_of"]

LOGGER = Path(__file__).with_name("step_log.py")
LEASE_S = 10.0
RECIPE = Recipe(steps=60, batch=2, lr_size=16, warmup_steps=5)


def settings_for(run: Path, trials: int, storage: str | None) -> SearchSettings:
    """A search of so many very small networks, trained for a second each."""
    plain = Space.load("tiny").to_dict()
    plain["name"] = "many-tiny"
    plain["dimensions"]["channels"] = {"fill": {"low": 4, "high": 32}}
    return make_settings(
        space=Space.from_dict(plain),
        recipe=RECIPE,
        sampler="random",
        trials=trials,
        run=run,
        storage=storage,
        latency_size=(8, 8),
        device="cpu",
    )


class Killer:
    """Kills random workers as the search comes along.

    Args:
        log: of the steps.
        trials: in all.
        kills: spread evenly over them.
        seed: of the choice and the moment.
    """

    def __init__(self, log: Path, trials: int, kills: int, seed: int) -> None:
        self.trials = trials
        self._log, self._every = log, trials / (kills + 1)
        self._left, self.done = kills, 0
        self._random = random.Random(seed)
        self._read, self._ended = 0, 0

    @property
    def ended(self) -> int:
        """How many networks have come to their last step."""
        if self._log.exists():
            with self._log.open() as file:
                file.seek(self._read)
                text = file.read()
                whole = text.rpartition("\n")[0]
                self._read += len(whole) + (1 if whole else 0)
            for line in whole.splitlines():
                kind, _, step, _, _ = line.split()
                self._ended += kind == "step" and int(step) == RECIPE.steps
        return self._ended

    def look(self, pids: Callable[[], Sequence[int]]) -> None:
        """Kills one if it is time."""
        if not self._left or self.ended < (self.done + 1) * self._every:
            return
        time.sleep(self._random.uniform(0.0, 0.5))
        alive = list(pids())
        if alive:
            with suppress(ProcessLookupError):
                os.kill(self._random.choice(alive), 9)
                self.done, self._left = self.done + 1, self._left - 1


def kill_postgres(
    trials: int, kills: int, workers: int, *, seed: int = 0, restart: bool = True
) -> dict[str, Any]:
    """The experiment with ``nas worker`` processes over a PostgreSQL server of its own."""
    from nas.workers.crew import Crew
    from nas.workers.together import search_together

    programs = find_programs()
    assert programs is not None, "PostgreSQL is not installed"
    server = Server(programs)
    with tempfile.TemporaryDirectory() as folder:
        run, log = Path(folder) / "run", Path(folder) / "steps"
        began = time.monotonic()
        try:
            server.start()
            settings = settings_for(run, trials, server.new_database("study"))
            search_together(settings, Crew(0))
            killer = Killer(log, trials, kills, seed)
            down_s, turned_away = _with_workers(server, settings, killer, workers, restart, folder)
            figures = check(settings, log)
        finally:
            server.close()
        seconds = round(time.monotonic() - began, 1)
        return {
            "store": "postgresql",
            "workers": workers,
            "kills": killer.done,
            "server_down_s": down_s,
            "workers_that_started_while_it_was_down": turned_away,
            "seconds": seconds,
            **figures,
        }


def _with_workers(
    server: Server,
    settings: SearchSettings,
    killer: Killer,
    workers: int,
    restart: bool,
    folder: str,
) -> tuple[float, int]:
    """Seconds that the server was down, and how many new workers found it so and were sent again.

    A worker that is at work waits for the server; one that starts says at once that it is away.
    """
    assert settings.storage is not None
    environment = {**_environment(Path(folder) / "steps"), "NAS_STORAGE": settings.storage}
    code = "from nas.cli.main import main; main()"
    command = [sys.executable, "-c", code, "worker", "--study", settings.study_name]
    command += ["--import", str(LOGGER), "--json"]

    def start() -> subprocess.Popen[bytes]:
        with (Path(folder) / "errors").open("ab") as errors:
            return subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=errors
            )

    crew = [start() for _ in range(workers)]
    down_s, turned_away = 0.0, 0
    try:
        while any(worker.poll() is None for worker in crew):
            time.sleep(0.05)
            for k, worker in enumerate(crew):
                code_ = worker.poll()
                if code_ is not None and code_ < 0:
                    crew[k] = start()
                elif code_ == 2 and down_s and turned_away < 20:
                    crew[k], turned_away = start(), turned_away + 1
                elif code_:
                    raise RuntimeError((Path(folder) / "errors").read_text()[-3000:])
            killer.look(lambda: [worker.pid for worker in crew if worker.poll() is None])
            if restart and not down_s and killer.ended >= killer.trials / 2:
                down = time.monotonic()
                server.stop("immediate")
                time.sleep(2.0)
                server.start()
                down_s = round(time.monotonic() - down, 1)
    finally:
        for worker in crew:
            worker.kill()
            worker.wait()
    return down_s, turned_away


def workers_of(search: int) -> list[int]:
    """The process numbers of a search's local workers, which lead process groups of their own."""
    with suppress(psutil.Error, ProcessLookupError):
        children = [child.pid for child in psutil.Process(search).children()]
        return [pid for pid in children if os.getpgid(pid) == pid]
    return []


def kill_embedded(trials: int, kills: int, workers: int, *, seed: int = 0) -> dict[str, Any]:
    """The experiment with local workers of one search and the store in its run folder."""
    with tempfile.TemporaryDirectory() as folder:
        run, log = Path(folder) / "run", Path(folder) / "steps"
        began = time.monotonic()
        killer = Killer(log, trials, kills, seed)
        command = [sys.executable, "-m", "benchmarks.kill_workers", "--search", str(run)]
        command += ["--trials", str(trials), "--workers", str(workers)]
        with (Path(folder) / "said").open("wb") as said:
            search = subprocess.Popen(command, env=_environment(log), stdout=said, stderr=said)
        try:
            while search.poll() is None:
                time.sleep(0.05)
                killer.look(lambda: workers_of(search.pid))
        finally:
            search.kill()
            code = search.wait()
        if code:
            raise RuntimeError((Path(folder) / "said").read_text()[-3000:])
        return {
            "store": "embedded",
            "workers": workers,
            "kills": killer.done,
            "seconds": round(time.monotonic() - began, 1),
            **check(settings_for(run, trials, None), log),
        }


def check(settings: SearchSettings, log: Path) -> dict[str, Any]:
    """What became of the search: figures, and every fault as a line of text."""
    import nas

    records = nas.open_run(settings.run, storage=settings.storage).records()
    states = Counter(record.state for record in records)
    finished = [record for record in records if record.state == FINISHED]
    networks = Counter(record.architecture_hash for record in finished)
    account = read_account(log)
    faults = [*account.faults]
    faults += [f"{name}: finished {count} times" for name, count in networks.items() if count > 1]
    left = {r.architecture_hash for r in records if r.state == INTERRUPTED} - {""} - set(networks)
    faults += [f"{name}: interrupted, and finished by nobody" for name in sorted(left)]
    faults += [f"trial {r.number}: left running" for r in records if r.state == RUNNING]
    faults += [f"trial {r.number}: {r.reason}" for r in records if r.state == FAILED]
    if len(finished) != settings.trials:
        faults.append(f"{len(finished)} networks finished, {settings.trials} wanted")
    remains = [path.name for path in (settings.run / "checkpoints").glob("*")]
    faults += [f"checkpoint {name} left behind" for name in remains]
    return {
        "finished": len(finished),
        "interrupted_trials": states[INTERRUPTED],
        "steps_needed": account.needed,
        "steps_trained": account.steps,
        "trainings_resumed": account.resumed,
        "resumed_from_checkpoint": account.from_checkpoint,
        "faults": faults,
    }


def _environment(log: Path) -> dict[str, str]:
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "STEP_LOG": str(log),
        "NAS_LEASE_SECONDS": str(LEASE_S),
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
    }


def _search(run: Path, trials: int, workers: int) -> None:
    """The search whose workers are killed, in a process of its own."""
    import nas.workers.local as local
    from nas.workers.crew import Crew
    from nas.workers.shares import Machine
    from nas.workers.together import search_together
    from search_spaces.extensions import import_parts

    import_parts([LOGGER])
    # More workers than this machine may have cores: they need not be fast here.
    setattr(local, "this_machine", lambda device: Machine(workers))  # noqa: B010
    search_together(settings_for(run, trials, None), Crew(workers), print)


def main() -> None:
    """Runs both experiments and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--only", choices=("postgresql", "embedded"))
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.search is not None:
        _search(chosen.search, chosen.trials, chosen.workers)
        return
    print(header_line())
    results = []
    for name, experiment in (("postgresql", kill_postgres), ("embedded", kill_embedded)):
        if chosen.only in (None, name):
            figures = experiment(chosen.trials, chosen.kills, chosen.workers)
            print(figures, flush=True)
            results.append(figures)
            suffix = f"_{name}" if chosen.only else ""
            write_result(f"kill_workers{suffix}", {"runs": results})


if __name__ == "__main__":
    main()
