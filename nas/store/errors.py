"""Stores that fail and rows that are damaged, as one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from search_spaces.errors import InputError, MissingExtra, StoreError

__all__ = ["damaged_rows", "line_of", "reading", "storage_errors"]

# The last of them where JSON is nested without end.
_OF_ROWS = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)


def line_of(error: BaseException) -> str:
    """What the driver says: Optuna wraps the database's error in its own, SQLAlchemy the driver's.

    Of several lines the first one.
    """
    cause = (error.__cause__ if isinstance(error, StorageInternalError) else None) or error
    return str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns a failing store into one clear line.

    Raises:
        StoreError: it cannot be reached, read or written.
    """
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        raise StoreError(
            f"study storage: {line_of(error)}; what was finished is kept: mend that, then run the "
            f"same command again"
        ) from None


@contextmanager
def damaged_rows(what: str) -> Iterator[None]:
    """Turns whatever damaged rows make Optuna raise into one clear line, begun by ``what``.

    Raises:
        StoreError: rows that no search has written.
    """
    try:
        yield
    except InputError:  # a ValueError itself
        raise
    except _OF_ROWS as error:
        raise _damaged(what, error) from None


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Both, where nothing but reading is done.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        with storage_errors(), damaged_rows(what):
            yield
    except (StoreError, MissingExtra):
        raise
    except InputError as error:
        # Of one row of many, which says itself what is wrong with it.
        raise _damaged(what, error) from None


def _damaged(what: str, error: Exception) -> StoreError:
    line = " ".join(str(error).split()) or type(error).__name__
    return StoreError(
        f"{what}: its study is damaged: {line[:200]}; go back to a copy of it, or search in "
        f"another folder"
    )
