"""For all tests of nas: a finished search, ways to run the command, a PostgreSQL server."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.postgres import Server, find_programs
from nas.data import Photo
from nas.explore.events import Event
from tests.preloaded import NAS, fast_starts
from tests.requirements import missing


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Finished(NamedTuple):
    """A finished search: its folder and what it told."""

    folder: Path
    events: list[Event]


TINY = ("--space", "tiny", "--profile", "smoke")
BUDGET = "30K-params"

_numbers = itertools.count()


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Tiny networks are slower on several threads, above all where other tests run beside."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture
def one_thread(own_lock: Path) -> Iterator[None]:
    with on_one_thread():
        yield


@pytest.fixture(scope="session")
def environ(own_lock: Path) -> dict[str, str]:
    """The environment of a command in a process of its own."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(own_lock),
        "COLUMNS": "200",
        "PYTHONWARNINGS": "error::UserWarning,error::FutureWarning",
    }


@pytest.fixture(scope="session", autouse=True)
def _fast_starts(environ: dict[str, str]) -> Iterator[None]:
    with fast_starts(environ):
        yield


@pytest.fixture(scope="session")
def process(environ: dict[str, str]) -> Callable[..., Outcome]:
    """Runs the command in a process of its own."""

    def run(*arguments: object, cwd: Path | None = None) -> Outcome:
        done = subprocess.run(
            [*NAS, *map(str, arguments)],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], one_thread: None
) -> Callable[..., Outcome]:
    """Runs the command in this process, through its real entry."""
    from nas.cli.main import main

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["nas", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as ending:
            code = ending.code or 0
        captured = capsys.readouterr()
        assert isinstance(code, int)
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, own_lock: Path) -> Finished:
    """A search of four tiny networks, within a budget; read only."""
    import nas
    from nas.cli.report.main import write_report

    folder, events = tmp_path_factory.mktemp("search") / "run", list[Event]()
    with on_one_thread():
        run = nas.search(
            [BUDGET],
            space="tiny",
            profile="smoke",
            trials=4,
            seed=5,
            run=folder,
            observer=events.append,
        )
    write_report(run, quiet=True)
    return Finished(folder, events)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server, stopped at the end."""
    programs = find_programs()
    if programs is None:
        missing("PostgreSQL is not installed (Debian: apt install postgresql)")
    started = Server(programs)
    try:
        started.start()
        yield started
    finally:
        started.close()


@pytest.fixture
def database(server: Server) -> str:
    """The URL of an empty database."""
    return server.new_database(new_name())


def new_name() -> str:
    """For a database or a user that is not there yet."""
    return f"db{next(_numbers)}"


@pytest.fixture
def photo() -> Photo:
    """Coarse noise, 75x60 pixels."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (12, 15, 3)).astype(np.uint8)
    return Photo("noise", np.kron(coarse, np.ones((5, 5, 1), np.uint8)))
