"""A server that answers with errors in the middle of a search, and is mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.postgres import Server
from nas.explore.events import Event, TrialEnded
from nas.records import RUNNING
from search_spaces.errors import StoreError
from tests.nas_tests.conftest import new_name
from tests.nas_tests.explore_tests.made_up import networks, recorded

GOAL = 6


class Struck:
    """Executes an order once two trials have ended."""

    def __init__(self, server: Server, order: str, database: str) -> None:
        self.server, self.order, self.database = server, order, database
        self.left = 2

    def append(self, event: Event) -> None:
        if isinstance(event, TrialEnded):
            self.left -= 1
            if self.left == 0:
                self.server.execute(self.order, self.database)


@pytest.mark.parametrize(
    ("order", "mending", "told"),
    [
        (
            "ALTER TABLE trial_user_attributes RENAME TO away",
            "ALTER TABLE away RENAME TO trial_user_attributes",
            r"study storage: .*trial_user_attributes",
        ),
        (
            "ALTER TABLE trial_values ADD CONSTRAINT refused CHECK (false) NOT VALID",
            "ALTER TABLE trial_values DROP CONSTRAINT refused",
            r"study storage: does not take the values of trial \d",
        ),
    ],
)
def test_errors_in_the_middle_are_one_line_and_lose_nothing(
    order: str, mending: str, told: str, server: Server, tmp_path: Path
) -> None:
    name = new_name()
    options: dict[str, Any] = {"storage": server.new_database(name), "study": "run", "rungs": 1}
    events: Any = Struck(server, order, name)
    with pytest.raises(StoreError, match=told) as caught:
        recorded(tmp_path, GOAL, events=events, **options)
    assert "\n" not in str(caught.value)
    server.execute(mending, name)
    run = recorded(tmp_path, GOAL, **options)
    assert len(networks(run)) >= GOAL
    assert not [one for one in run.records() if one.state == RUNNING]
