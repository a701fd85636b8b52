"""URLs of stores: what kind, how to connect, how to show them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from sqlalchemy.engine import URL

__all__ = [
    "DRIVER",
    "IN_MEMORY",
    "connect_options",
    "database_file",
    "is_server",
    "parse_url",
    "read_only_url",
    "shown",
    "storage_class",
]

IN_MEMORY = "memory"
"""The storage of a study that its process alone sees and that ends with it."""

DRIVER = "postgresql+psycopg"
"""What the extra ``postgres`` installs."""

_LIMIT_S = 60


def parse_url(url: str) -> URL:
    """The URL with the driver that the extra ``postgres`` installs, where it names none.

    Raises:
        InputError: not a URL of a database, or of one that ends with its process.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername=DRIVER)
        parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise InputError(
            "storage: expected a URL such as sqlite:///study.db or postgresql://host/db"
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InputError(
            f"storage {url}: a database in memory ends with its process; expected a file, such "
            f"as sqlite:///study.db"
        )
    return parsed


def is_server(url: str) -> bool:
    """Whether workers on several machines can share the store."""
    return url != IN_MEMORY and parse_url(url).get_backend_name() != "sqlite"


def database_file(url: str) -> Path | None:
    """The file of an SQLite store; ``None`` for any other."""
    if url == IN_MEMORY or is_server(url):
        return None
    return Path(str(parse_url(url).database))


def shown(url: str) -> str:
    """The URL for a person: without its password."""
    return url if url == IN_MEMORY else parse_url(url).render_as_string(hide_password=True)


def storage_class(url: str) -> type[RDBStorage]:
    """The class of the store at a URL."""
    if is_server(url):
        # It stands on more of Optuna's class than the others need.
        from nas.store.server import RetryingStorage

        return RetryingStorage
    from optuna.storages import RDBStorage

    return RDBStorage


def read_only_url(url: str) -> str:
    """The URL by which a store is opened that must be there already."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        # Not mode=ro: what a killed writer has left half-done could not be taken back then.
        path = quote(str(Path(str(parsed.database)).absolute()))
        parsed = parsed.set(database=f"file:{path}", query={"mode": "rw", "uri": "true"})
    return parsed.render_as_string(hide_password=False)


def connect_options(url: str, *, read_only: bool = False) -> dict[str, Any]:
    """SQLAlchemy's options of the engine: nobody waits for ever, and nobody gives up at once.

    With ``read_only`` the database refuses statements that change anything.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        events = [(_queries_only, "connect")] if read_only else []
        return {"connect_args": {"timeout": _LIMIT_S}, "pool_events": events}
    if parsed.drivername != DRIVER:
        return {"pool_pre_ping": True}
    # A server that vanished without a word is noticed within half a minute (libpq's settings).
    return {
        "pool_pre_ping": True,
        "pool_events": [(_limit, "connect")],
        "connect_args": {
            "connect_timeout": 10,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 25_000,
            "application_name": "nas",
            **({"options": "-c default_transaction_read_only=on"} if read_only else {}),
        },
    }


def _queries_only(connection: Any, record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _limit(connection: Any, record: object) -> None:
    """As on SQLite: nobody waits for a lock for ever, and nobody keeps one while standing still."""
    with connection.cursor() as cursor:
        for name in ("lock_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {name} = '{_LIMIT_S}s'")
    connection.commit()
