"""The two tables of leases in a study's database: who works, and whose turn it is."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy
from sqlalchemy import Boolean, Column, DateTime, Engine, Float, MetaData, String, Table
from sqlalchemy.exc import IntegrityError

from nas.store.database import connect_options, parse_url

__all__ = ["insert_once", "open_tables"]


def open_tables(url: str) -> tuple[Engine, Table, Table]:
    """The database and the two tables, made where they are not there."""
    engine = sqlalchemy.create_engine(parse_url(url), pool_size=2, **connect_options(url))
    metadata = MetaData()
    workers = Table(
        "nas_workers",
        metadata,
        Column("name", String(255), primary_key=True),
        Column("study", String(512), nullable=False),
        Column("grace_s", Float, nullable=False),
        Column("seen", DateTime(timezone=True), nullable=False),
        Column("dead", Boolean, nullable=False),
    )
    turns = Table("nas_turns", metadata, Column("study", String(512), primary_key=True))
    try:
        metadata.create_all(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine, workers, turns


def insert_once(engine: Engine, turns: Table, study: str) -> None:
    """The study's row in the table of turns, made where it is not there."""
    with engine.begin() as database:
        if database.execute(sqlalchemy.select(turns).where(turns.c.study == study)).first():
            return
    # Another worker may be doing the same at this moment.
    with suppress(IntegrityError), engine.begin() as database:
        database.execute(sqlalchemy.insert(turns).values(study=study))
