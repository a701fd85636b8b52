"""Leases as rows of the study's own database, for workers of many machines."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import sqlalchemy
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from nas.stopping import current_wish
from nas.store.leases.folder import new_name
from nas.store.leases.lease import LeaseLost
from nas.store.leases.tables import insert_once, open_tables
from nas.store.leases.waiting import Waiting
from nas.store.retries import RETRY_S, opened, retry
from search_spaces.errors import InputError, StoreError

__all__ = ["StoreLease"]

T = TypeVar("T")

_QUEUED_MS = 500
_RELEASE_S = 30.0

# PostgreSQL's code for a lock that was not to be had in time.
_LOCK_NOT_AVAILABLE = "55P03"

GRACE_S = 60.0
"""Seconds of silence after which a worker is dead, unless ``NAS_LEASE_SECONDS`` says another."""


class StoreLease:
    """A worker's sign of life: a row that its heartbeat keeps young, by the server's clock.

    A thread writes the heartbeat, so a long training step does not matter. A worker that was
    silent for its grace period is marked dead in its row, once and for all, before its trials
    are taken up; it sees the mark at its next heartbeat, or at the latest when the store
    refuses what it writes into a trial that others ended. Whoever lost touch with the store
    buries nobody until it has been in touch again for a whole grace period: a server that was
    down makes no living worker dead.

    Optuna's own heartbeat is not used: it is made for ``Study.optimize``, knows no fencing and
    compares trials, not workers.

    Args:
        url: of the store.
        study: whose workers these are.
        grace_s: seconds of silence after which this worker is to be taken for dead.
        patient: whether to wait for the server from the first moment on.

    Attributes:
        worker: a name for this worker that is unique among all machines.

    Raises:
        InputError: the store cannot be reached or written.
    """

    def __init__(
        self, url: str, study: str, *, grace_s: float | None = None, patient: bool = False
    ) -> None:
        self._study, self._grace_s = study, grace_s or _grace_from_environment()
        self.worker = ""
        self._turn: Connection | None = None
        self._engine, self._workers, self._turns = opened(
            lambda: open_tables(url), url, patient=patient
        )
        opened(self._register, url, patient=patient)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="nas-heartbeat", daemon=True)
        self._thread.start()

    def alive(self, worker: str) -> bool:
        """One that does not is marked dead for good. To be asked within a turn only."""
        if worker == self.worker:
            return True
        if not worker:
            return False
        now = _clock_s()
        in_touch_s = now - self._in_touch_since if now - self._heard < self._grace_s / 2 else 0.0
        row = self._workers.c

        def bury(database: Connection) -> bool:
            found = database.execute(
                sqlalchemy.select(row.seen, row.grace_s, row.dead, sqlalchemy.func.now())
                .where(row.name == worker)
                .with_for_update()
            ).one_or_none()
            if found is None or found[2]:
                return False
            silent_s = (found[3] - found[0]).total_seconds()
            if silent_s <= found[1] or in_touch_s < found[1]:
                return True
            database.execute(
                sqlalchemy.update(self._workers).where(row.name == worker).values(dead=True)
            )
            return False

        return self._do(bury)

    def check(self) -> None:
        """Makes sure that this worker counts as alive.

        One without an answer for its grace period may be dead to the others. It holds still
        until it knows, so that it never writes a checkpoint over theirs.

        Raises:
            LeaseLost: it was marked dead, or somebody wishes to stop before that is known.
            StoreError: it does not answer.
        """
        began, lost = _clock_s(), self._lost
        while not lost and _clock_s() - self._heard > self._grace_s:
            if _clock_s() - began > RETRY_S:
                raise StoreError(
                    f"study storage: no answer for {RETRY_S:.0f} s; what was finished is "
                    f"kept: mend that, then run the same command again"
                )
            time.sleep(0.1)
            lost = self._lost or current_wish().asked
        if lost:
            raise LeaseLost(f"worker {self.worker} was out of touch with the store for too long")

    def renew(self) -> None:
        """A new name, for a worker whose old one is marked dead."""
        retry(self._register)

    @contextmanager
    def turn(self, limit_s: float | None = None) -> Iterator[None]:
        """A lock of the database, which it takes back when the connection ends."""
        waiting = Waiting(limit_s)
        waiting.look()
        while (database := retry(self._try_turn)) is None:
            waiting.pause()
        self._turn = database
        try:
            yield
        finally:
            self._turn = None
            # A broken connection has given the lock back already.
            with suppress(SQLAlchemyError):
                database.rollback()
            with suppress(SQLAlchemyError):
                database.close()

    def has_turn(self) -> bool:
        """Whether the connection that holds the lock lives, and so the lock."""
        if self._turn is None:
            return False
        try:
            self._turn.execute(sqlalchemy.select(1))
        except SQLAlchemyError:
            return False
        return True

    def sweep(self) -> None:
        """Forgets the workers that have been dead for a day."""
        row = self._workers.c

        def forget(database: Connection) -> None:
            found = database.execute(
                sqlalchemy.select(row.name, row.seen, sqlalchemy.func.now()).where(
                    row.study == self._study
                )
            ).all()
            old = [name for name, seen, now in found if (now - seen).total_seconds() > 86_400]
            if old:
                database.execute(sqlalchemy.delete(self._workers).where(row.name.in_(old)))

        self._do(forget)

    def release(self) -> None:
        """Ends the heartbeat and removes the row."""
        self._over.set()
        # It may be waiting for the server; then it ends with the process.
        self._thread.join(_RELEASE_S)
        with suppress(SQLAlchemyError), self._engine.begin() as database:
            database.execute(
                sqlalchemy.delete(self._workers).where(self._workers.c.name == self.worker)
            )
        self._engine.dispose()

    def _try_turn(self) -> Connection | None:
        """The connection that holds the turn; ``None`` where another one has it."""
        database = self._engine.connect()
        try:
            if database.dialect.name == "postgresql":
                # A machine that vanished in its turn must not hold up the others.
                limit_ms = int(1000 * self._grace_s)
                database.exec_driver_sql(
                    f"SET LOCAL idle_in_transaction_session_timeout = {limit_ms}"
                )
                # The server keeps those that wait in their order, but for no longer than a
                # wish to stop can wait.
                database.exec_driver_sql(f"SET LOCAL lock_timeout = {_QUEUED_MS}")
            database.execute(
                sqlalchemy.select(self._turns.c.study)
                .where(self._turns.c.study == self._study)
                .with_for_update()
            )
        except OperationalError as error:
            database.close()
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                return None
            raise
        except BaseException:
            database.close()
            raise
        return database

    def _register(self) -> None:
        name = new_name()
        with self._engine.begin() as database:
            database.execute(
                sqlalchemy.insert(self._workers).values(
                    name=name,
                    study=self._study,
                    grace_s=self._grace_s,
                    seen=sqlalchemy.func.now(),
                    dead=False,
                )
            )
        insert_once(self._engine, self._turns, self._study)
        self.worker, self._lost = name, False
        self._heard = self._in_touch_since = _clock_s()

    def _beat(self) -> None:
        """Writes the heartbeat, in a thread of its own, from now on."""
        row = self._workers.c
        while not self._over.wait(self._grace_s / 10):
            name, asked = self.worker, _clock_s()
            try:
                with self._engine.begin() as database:
                    done = database.execute(
                        sqlalchemy.update(self._workers)
                        .where(row.name == name, sqlalchemy.not_(row.dead))
                        .values(seen=sqlalchemy.func.now())
                    )
            except SQLAlchemyError:
                self._in_touch_since = _clock_s()
                continue
            if asked - self._heard > self._grace_s / 2:
                # This process itself stood still, say, and so cannot tell who else did.
                self._in_touch_since = asked
            if name == self.worker:
                self._lost = self._lost or done.rowcount == 0
                self._heard = asked

    def _do(self, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with self._engine.begin() as database:
                return work(database)

        return retry(once)


def _clock_s() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _grace_from_environment() -> float:
    text = os.environ.get("NAS_LEASE_SECONDS", "")
    try:
        seconds = float(text or GRACE_S)
    except ValueError:
        seconds = -1.0
    if seconds < 1:
        raise InputError(f"NAS_LEASE_SECONDS: expected at least 1 second, got {text!r}")
    return seconds
