"""Leases in the database: who is alive, whose turn it is, and what a silent worker learns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from benchmarks.postgres import Server
from nas.store.leases import LeaseLost, take_lease
from nas.store.leases.store import StoreLease
from search_spaces.errors import InputError
from tests.nas_tests.conftest import new_name

GRACE_S = 1.0

Take = Callable[[], StoreLease]


@pytest.fixture
def take(database: str) -> Iterator[Take]:
    """Takes a lease; all are released at the end."""
    taken: list[StoreLease] = []

    def one() -> StoreLease:
        taken.append(StoreLease(database, "study", grace_s=GRACE_S))
        return taken[-1]

    yield one
    for lease in taken:
        lease.release()


def fall_silent(lease: StoreLease) -> None:
    """As if the worker's machine had stood still or its network were gone."""
    lease._over.set()
    lease._thread.join()


def wake_up(lease: StoreLease) -> None:
    lease._over.clear()
    lease._thread = threading.Thread(target=lease._beat, daemon=True)
    lease._thread.start()


def test_the_living_are_alive(take: Take) -> None:
    mine, others = take(), take()
    time.sleep(2 * GRACE_S)
    with mine.turn():
        assert mine.alive(mine.worker)
        assert mine.alive(others.worker)
        assert not mine.alive("")
        assert not mine.alive("nobody")
    others.check()


def test_a_silent_worker_is_dead_for_good_and_learns_it(take: Take) -> None:
    mine, silent = take(), take()
    fall_silent(silent)
    with mine.turn():
        assert mine.alive(silent.worker)
    time.sleep(1.5 * GRACE_S)
    with mine.turn():
        assert not mine.alive(silent.worker)
    wake_up(silent)
    with pytest.raises(LeaseLost):
        silent.check()
    with mine.turn():
        assert not mine.alive(silent.worker)
    name = silent.worker
    silent.renew()
    silent.check()
    assert silent.worker != name
    with mine.turn():
        assert mine.alive(silent.worker)


def test_a_newcomer_buries_nobody(take: Take) -> None:
    silent = take()
    fall_silent(silent)
    time.sleep(1.5 * GRACE_S)
    newcomer = take()
    with newcomer.turn():
        assert newcomer.alive(silent.worker)
    time.sleep(1.2 * GRACE_S)
    with newcomer.turn():
        assert not newcomer.alive(silent.worker)


def test_one_after_the_other(take: Take) -> None:
    leases, inside, worst = [take() for _ in range(3)], 0, 0

    def work(lease: StoreLease) -> None:
        nonlocal inside, worst
        for _ in range(5):
            with lease.turn():
                inside += 1
                worst = max(worst, inside)
                time.sleep(0.005)
                inside -= 1

    threads = [threading.Thread(target=work, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == 1


def test_who_stands_still_in_its_turn_loses_it(take: Take) -> None:
    mine, others = take(), take()
    began = time.monotonic()
    with mine.turn(), others.turn():
        assert time.monotonic() - began < 5 * GRACE_S


def test_a_restart_of_the_server_kills_nobody(take: Take, server: Server) -> None:
    mine, others = take(), take()
    time.sleep(GRACE_S)
    server.stop("immediate")
    restart = threading.Timer(2 * GRACE_S, server.start)
    restart.start()
    with mine.turn():
        assert mine.has_turn()
        assert mine.alive(others.worker)
    restart.join()
    others.check()
    mine.check()


class TestThatCannotBeHad:
    def test_no_server(self) -> None:
        with pytest.raises(InputError, match=r"cannot be opened: .*refused") as caught:
            StoreLease("postgresql://me:secret@127.0.0.1:1/db", "study")
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_no_rights(self, server: Server, database: str) -> None:
        name = new_name()
        server.execute(f"CREATE USER {name} PASSWORD 'secret'")
        url = database.replace("//nas@", f"//{name}:secret@")
        with pytest.raises(InputError, match="permission denied") as caught:
            StoreLease(url, "study")
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)

    def test_no_such_time(self, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NAS_LEASE_SECONDS", "soon")
        with pytest.raises(InputError, match="NAS_LEASE_SECONDS: expected at least 1 second"):
            StoreLease(database, "study")


def test_which_lease_fits(database: str, tmp_path: object) -> None:
    from pathlib import Path

    from nas.store.leases.folder import FolderLease

    run = Path(str(tmp_path)) / "run"
    store = take_lease(database, "study", run)
    assert isinstance(store, StoreLease)
    store.release()
    (run / "elsewhere").mkdir(parents=True)
    embedded = take_lease(None, "study", run)
    beside = take_lease(f"sqlite:///{run / 'elsewhere' / 'study.db'}", "study", run)
    assert isinstance(embedded, FolderLease)
    assert [p.parent.name for p in run.glob("workers/*.lock")] == ["workers"]
    assert len(list((run / "elsewhere" / "workers").glob("*.lock"))) == 1
    embedded.release()
    beside.release()


def test_a_server_that_goes_down_ends_a_turn(take: Take, server: Server) -> None:
    mine, others = take(), take()
    assert not mine.has_turn()
    with mine.turn():
        assert mine.has_turn()
        server.stop("immediate")
        server.start()
        with others.turn():
            assert not mine.has_turn()
            assert others.has_turn()
    assert not mine.has_turn()
