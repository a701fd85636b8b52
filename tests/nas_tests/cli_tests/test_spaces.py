"""``nas spaces``: what can be searched."""

from __future__ import annotations

import json
from collections.abc import Callable

from search_spaces import Space
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]


def test_json(command: Command) -> None:
    rows = {row["name"]: row for row in json.loads(command("spaces", "--json").out)}
    assert sorted(rows) == Space.names()
    assert {"distillation", "tiny"} <= rows.keys()
    for name, row in rows.items():
        space = Space.load(name)
        assert (row["points"], row["dimensions"]) == (space.size, len(space.dimensions))
        assert row["smallest_params"] > 0
        assert row["about"]


def test_table_names_every_space(command: Command) -> None:
    outcome = command("spaces")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(name in outcome.out for name in Space.names())


def test_scale(command: Command) -> None:
    smallest = [
        {row["name"]: row["smallest_params"] for row in json.loads(command(*words).out)}
        for words in (("spaces", "--json", "--scale", s) for s in (2, 4))
    ]
    assert smallest[0]["tiny"] < smallest[1]["tiny"]
    outcome = command("spaces", "--scale", 7)
    assert (outcome.code, outcome.err) == (2, "nas: scale: expected 1, 2, 3 or 4, got 7\n")
