"""Ray as the engine: two real nodes on loopback, one of which dies."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

import nas
from benchmarks.postgres import free_port
from nas.explore.settings import make_settings
from nas.records import FINISHED, RUNNING
from nas.workers.crew import Crew
from nas.workers.engines import ENGINES
from search_spaces.errors import InputError
from tests.nas_tests.conftest import TINY, Outcome
from tests.preloaded import NAS
from tests.requirements import missing

if importlib.util.find_spec("ray") is None:
    missing("Ray is not installed: pip install 'nas-sr[ray]'")


class Cluster(NamedTuple):
    """Two nodes of one CPU each."""

    address: str
    nodes: list[subprocess.Popen[bytes]]


def descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def kill(process: subprocess.Popen[bytes]) -> None:
    """The node as if its machine had lost power; nobody else's Ray is touched."""
    for victim in [*descendants(process), psutil.Process(process.pid)]:
        with suppress(psutil.Error):
            victim.kill()
    process.wait()


@pytest.fixture
def cluster(environ: dict[str, str]) -> Iterator[Cluster]:
    # Short, for the sockets in it: their paths may have 107 letters.
    folder = Path(tempfile.mkdtemp(prefix="nr", dir="/tmp"))
    environment = {
        **environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "NAS_LEASE_SECONDS": "3",
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
        "PYTHONWARNINGS": "ignore",
    }
    address = f"127.0.0.1:{free_port()}"
    common = ["--node-ip-address=127.0.0.1", "--num-cpus=1", "--object-store-memory=80000000"]
    common += ["--disable-usage-stats", "--block"]
    head = ["--head", f"--port={address.rpartition(':')[2]}", f"--temp-dir={folder}"]
    head += ["--include-dashboard=false", f"--ray-client-server-port={free_port()}"]
    ray = Path(sys.executable).with_name("ray")
    nodes: list[subprocess.Popen[bytes]] = []
    try:
        for own, count in ((head, 1), ([f"--address={address}"], 2)):
            log = folder / f"node{count}.log"
            with log.open("wb") as said:
                nodes.append(
                    subprocess.Popen(
                        [str(ray), "start", *own, *common],
                        env=environment,
                        stdout=said,
                        stderr=said,
                        stdin=subprocess.DEVNULL,
                    )
                )
            end = time.monotonic() + 60
            while "Ray runtime started" not in log.read_text():
                assert nodes[-1].poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
        yield Cluster(address, nodes)
    finally:
        for node in nodes:
            if node.poll() is None:
                kill(node)
        shutil.rmtree(folder, ignore_errors=True)


def workers_of(node: subprocess.Popen[bytes]) -> set[int]:
    """The numbers of the worker processes on a node."""
    found = set()
    for process in descendants(node):
        with suppress(psutil.Error):
            if "nas.workers.child" in process.cmdline():
                found.add(process.pid)
    return found


def test_two_nodes_one_of_which_dies(
    cluster: Cluster, database: str, environ: dict[str, str], tmp_path: Path
) -> None:
    run, goal = tmp_path / "run", 14
    options = ["--engine", "ray", "--address", cluster.address, "--storage", database]
    options += ["--trials", str(goal), "--run", str(run), "--latency-size", "8x8", "--json"]
    environment = {**environ, "NAS_LEASE_SECONDS": "3", "PYTHONWARNINGS": "ignore"}
    search = subprocess.Popen(
        [*NAS, "search", *TINY, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert search.stdout is not None
    seen: list[set[int]] = [set(), set()]
    lines: list[str] = []
    try:
        while lines.count("TrialEnded") < 4 and search.poll() is None:
            line = search.stdout.readline()
            lines.append("TrialEnded" if '"TrialEnded"' in line else line)
            for node, numbers in zip(cluster.nodes, seen, strict=True):
                numbers |= workers_of(node)
        kill(cluster.nodes[1])
        output, errors = search.communicate(timeout=120)
    finally:
        search.kill()
        search.wait()
    assert search.returncode == 0, errors
    assert '"WorkerLost"' in output
    records = nas.open_run(run, storage=database).records()
    finished = [r.architecture_hash for r in records if r.state == FINISHED]
    assert len(finished) == len(set(finished)) == goal
    assert not [r for r in records if r.state == RUNNING]
    # Workers' names hold their process.
    numbers = {int(name.split("-")[-2]) for name in claims(run, database)}
    assert numbers & seen[0]
    assert numbers & seen[1]


def claims(run: Path, storage: str) -> set[str]:
    """The workers of all finished trials."""
    import optuna

    from nas.store.study import open_storage

    study = optuna.load_study(study_name=run.name, storage=open_storage(storage))
    states = (optuna.trial.TrialState.COMPLETE,)
    return {t.user_attrs["nas_worker"] for t in study.get_trials(states=states)}


@pytest.mark.parametrize(
    ("crew", "told"),
    [
        (Crew(engine="ray", address="127.0.0.1:1"), "give --storage postgresql"),
        (Crew(engine="ray", cpus_per_worker=0), "cpus per worker: expected at least 1, got 0"),
        (Crew(engine="ray", gpus_per_worker=-1.0), "gpus per worker: expected at least 0, got -1"),
    ],
)
def test_what_cannot_be(crew: Crew, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        ENGINES["ray"].check(make_settings(space="tiny", run=tmp_path), crew)


def test_without_ray(
    command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    outcome = command("search", *TINY, "--engine", "ray", "--run", tmp_path / "run")
    assert outcome.code == 2
    assert outcome.err == (
        "nas: engine ray: Ray is not installed; install the extra: pip install 'nas-sr[ray]'\n"
    )
    assert not (tmp_path / "run").exists()


def test_no_cluster_there(process: Callable[..., Outcome], database: str, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    options = ["--engine", "ray", "--address", address, "--storage", database]
    outcome = process("search", *TINY, *options, "--run", tmp_path / "run")
    assert outcome.code == 2
    assert outcome.err.startswith(f"nas: engine ray: no cluster at {address}: ")
    assert outcome.err.count("\n") == 1
