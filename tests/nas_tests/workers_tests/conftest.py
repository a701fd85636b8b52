"""A PostgreSQL server of the tests' own, on loopback."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from benchmarks.postgres import Server, find_programs
from tests.requirements import missing

_numbers = itertools.count()


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
