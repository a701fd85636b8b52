"""The best networks of a search once more, as wide as the budgets hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas.budget import parse_budget
from nas.explore.warm import point_of
from nas.latency.meter import Prices
from nas.records import TrialRecord
from search_spaces import Architecture
from search_spaces.dimension import Label
from search_spaces.space import Point, Space
from tests.nas_tests.explore_tests.made_up import kept, networks, recorded

TINY = Space.load("tiny")
WIDTH = TINY.filling[-1]


def widened(records: list[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if record.source.startswith("widened:")]


def fits(point: Point) -> bool:
    return Prices([parse_budget("40K-params")]).fits(TINY.architecture(point))


def point(record: TrialRecord) -> dict[str, Label]:
    found = point_of(TINY, Architecture.from_dict(dict(record.architecture)))
    assert found is not None
    return dict(found)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_search_ends_with_the_best_at_the_largest_width(tmp_path: Path, sampler: str) -> None:
    records = networks(recorded(tmp_path, 36, sampler=sampler))
    found = widened(records)
    # A twelfth of the networks at the most.
    assert 1 <= len(found) <= 3
    assert len({r.architecture_hash for r in records}) == len(records) == 36
    by_number = {record.number: record for record in records}
    for record in found:
        wide, narrow = point(record), point(by_number[int(record.source.split(":")[1])])
        assert wide | {WIDTH.name: 0} == narrow | {WIDTH.name: 0}
        channels = int(str(wide[WIDTH.name]))
        assert channels > int(str(narrow[WIDTH.name]))
        assert fits(wide)
        more = [one for one in WIDTH.grid if one > channels][:1]
        assert not any(fits(wide | {WIDTH.name: one}) for one in more)


def test_a_search_that_goes_on_looks_at_them_again(tmp_path: Path) -> None:
    first = widened(networks(kept(tmp_path, 24)))
    later = widened(networks(kept(tmp_path, 48)))
    assert [record.source for record in later][: len(first)] == [record.source for record in first]
    assert len(later) > len(first)


def test_a_short_search_has_none(tmp_path: Path) -> None:
    assert not widened(networks(recorded(tmp_path, 11)))
