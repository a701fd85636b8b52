"""What an interrupted search still does: within limits, and nothing where somebody insists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from optuna import Study
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from nas.stopping import StopWish
from nas.store.leases import NoTurn
from search_spaces.errors import InputError

__all__ = ["LEAVE_S", "end_transaction", "leaving"]

LEAVE_S = 10.0
"""So long the last turn, and a database that is away, are waited for."""


@contextmanager
def leaving(wish: StopWish) -> Iterator[None]:
    """For what an interruption leaves to do; where it cannot be done, the next start does it."""
    with wish.heeded():
        try:
            yield
        except (NoTurn, StorageInternalError, SQLAlchemyError, InputError, OSError):
            # Whatever it is, damaged rows too: the interruption is what the user is told.
            return


def end_transaction(study: Study) -> None:
    """Ends the transaction that an exception may have left open in the store, with its locks."""
    # Optuna's cache holds the store itself.
    storage = getattr(study._storage, "_backend", study._storage)
    session = getattr(storage, "scoped_session", None)
    if session is not None:
        # A broken connection has ended it already.
        with suppress(SQLAlchemyError):
            session.remove()
