"""A store that may be away for a while: what fails for that reason is tried again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)

from nas.stopping import current_wish
from nas.store.database import DRIVER, parse_url, shown
from nas.store.errors import line_of
from nas.store.shutdown import LEAVE_S
from search_spaces.errors import InputError, MissingExtra, StoreError

__all__ = ["RETRY_S", "opened", "retry"]

T = TypeVar("T")

RETRY_S = 300.0
"""How long a database that was reached once is waited for, seconds."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_inside = threading.local()


def retry(work: Callable[[], T]) -> T:
    """What ``work()`` returns; while the database is away, it is called again and again.

    It may have been carried out although its connection broke, so it must bear repetition.

    Raises:
        KeyboardInterrupt: somebody wishes to stop, while waiting.
        SQLAlchemyError, StorageInternalError: as ``work`` does, after ``RETRY_S`` or at once
            where waiting would not help.
    """
    if getattr(_inside, "waiting", False):
        return work()
    wish, pause_s = current_wish(), _FIRST_PAUSE_S
    end = time.monotonic() + (LEAVE_S if wish.leaving else RETRY_S)
    while True:
        _inside.waiting = True
        try:
            return work()
        except (DBAPIError, StorageInternalError) as error:
            if not _is_away(error) or time.monotonic() > end:
                raise
        finally:
            _inside.waiting = False
        # Not all of them at the same moment, when it is back.
        wish.sleep(pause_s * random.uniform(0.5, 1.0))
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _make_once(make: Callable[[], T]) -> T:
    """What ``make()`` returns, where others may be making the same tables at the same moment.

    Databases check whether a table exists and make it in two statements.
    """
    for _ in range(5):
        try:
            return make()
        except (DBAPIError, StorageInternalError) as error:
            if "exist" not in str(error) and not isinstance(error, IntegrityError):
                raise
        current_wish().sleep(random.uniform(0.05, 0.5))
    return make()


def opened(make: Callable[[], T], url: str, *, patient: bool = False) -> T:
    """What ``make()`` returns, which opens a store and makes its tables.

    Raises:
        StoreError, MissingExtra: it cannot be opened; at once, unless ``patient``.
    """
    try:
        return retry(lambda: _make_once(make)) if patient else _make_once(make)
    except InputError:  # says itself what is wrong
        raise
    except Exception as error:  # drivers bring exceptions of their own
        raise _unreachable(url, error) from None


def _unreachable(url: str, error: Exception) -> MissingExtra | StoreError:
    if isinstance(error, ImportError | NoSuchModuleError):
        told = f"storage {shown(url)}: no driver for it ({error})"
        if parse_url(url).drivername == DRIVER:
            return MissingExtra(f"{told}; install the extra", "postgres")
        return StoreError(told)
    return StoreError(
        f"storage {shown(url)} cannot be opened: {line_of(error)}; expected a store that can be "
        f"reached and written"
    )


def _is_away(error: DBAPIError | StorageInternalError) -> bool:
    cause = error if isinstance(error, DBAPIError) else error.__cause__
    return isinstance(cause, DBAPIError) and (
        cause.connection_invalidated or isinstance(cause, OperationalError | InterfaceError)
    )
