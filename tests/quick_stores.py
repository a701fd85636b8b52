"""Stores of searches that open at once and do not wait for the disk.

What tests write need not outlive a power failure: a process that is killed loses nothing by it, and
to wait until every commit has come to the disk takes longer than most searches of the tests.
Nor does a new store need Optuna's thirty modules of revisions compiled three times over.
"""

from __future__ import annotations

import functools
import sqlite3
from importlib import import_module
from typing import Any

__all__ = ["make_stores_quick"]


def make_stores_quick() -> None:
    """For all stores that this process opens from now on, and those that are forked from it."""
    import sqlalchemy

    if sqlalchemy.event.contains(sqlalchemy.Engine, "connect", _do_not_wait):
        return
    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", _do_not_wait)
    scripts: Any = import_module("alembic.script.base").__dict__["util"]
    scripts.load_python_file = functools.cache(scripts.load_python_file)


def _do_not_wait(connection: Any, record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    ((patience_ms,),) = connection.execute("PRAGMA busy_timeout")
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA synchronous = OFF")
    except sqlite3.Error:
        # Locked, or no database: whoever uses it is to find that out.
        pass
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
