"""What stands in a study's database, changed as no program of ours would."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

from benchmarks.fuzz.mutations.values import broken_tree, strange

__all__ = ["broken_database"]

_TEXT_COLUMNS = ("value_json", "distribution_json")


def broken_database(rng: random.Random, file: Path) -> str:
    """Changes, adds or removes some rows, or a whole table; returns what."""
    told = []
    with sqlite3.connect(file) as base:
        base.execute("PRAGMA foreign_keys = OFF")
        for _ in range(rng.choice((1, 1, 2, 3))):
            told.append(_changed(rng, base))
    base.close()
    return "; ".join(told)


def _changed(rng: random.Random, base: sqlite3.Connection) -> str:
    tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    # A trial's attributes hold its record, and so most of what is read.
    table = "trial_user_attributes" if rng.random() < 0.4 else rng.choice(tables)
    if table not in tables:
        return f"{table} is gone"
    rows = base.execute(f"SELECT rowid, * FROM {table}").fetchall()
    columns = [row[1] for row in base.execute(f"PRAGMA table_info({table})")]
    kind = rng.random()
    if kind < 0.03:
        base.execute(f"DROP TABLE {table}")
        return f"no table {table}"
    if not rows:
        return f"{table} is empty"
    row = rng.choice(rows)
    if kind < 0.10:
        base.execute(f"DELETE FROM {table}")
        return f"{table} emptied"
    if kind < 0.25:
        base.execute(f"DELETE FROM {table} WHERE rowid = ?", row[:1])
        return f"{table}: a row less"
    json_columns = [name for name in columns if name in _TEXT_COLUMNS]
    column = rng.choice(json_columns or columns)
    about = next(
        (str(row[1 + columns.index(name)]) for name in ("key", "param_name") if name in columns), ""
    )
    value = _value(rng, row[1 + columns.index(column)], in_json=bool(json_columns))
    try:
        base.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row[0]))
    except (sqlite3.Error, OverflowError) as error:
        return f"{table}.{column} refused: {error}"
    return f"{table}.{column} {about} of row {row[0]}: {str(value)[:60]!r}"


def _value(rng: random.Random, before: Any, *, in_json: bool) -> Any:
    if in_json and isinstance(before, str):
        kind = rng.random()
        if kind < 0.5:
            tree, _ = broken_tree(rng, [json.loads(before)])
            return json.dumps(tree[0] if isinstance(tree, list) and tree else tree)
        if kind < 0.6:
            return json.dumps(strange(rng))
        if kind < 0.8:
            return before[: rng.randrange(len(before) + 1)]
        return rng.choice((None, "", "NaN", "[" * 20_000, "x" * 1_000_000, b"\xff\x00", 7, "null"))
    value = strange(rng)
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value
