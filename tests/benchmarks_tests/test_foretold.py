"""Which short training foretells the end: the networks, and the account."""

from __future__ import annotations

import pytest

from benchmarks.proven.classes import CLASSES
from benchmarks.proven.foretold import (
    CLASS,
    DRAWN,
    END,
    LEAST_SHARE,
    SHORT,
    SPACES,
    account,
    networks,
)  # fmt: skip
from benchmarks.proven.trainings import Row
from search_spaces import price


def test_the_networks_fill_the_class() -> None:
    one = CLASSES[CLASS]
    found = networks(one)
    assert len(found) == len(one.published) + len(one.family) + DRAWN * len(SPACES)
    assert len({arch.hash for arch in found.values()}) == len(found)
    assert all(map(one.holds, found.values()))
    assert all(price(arch).params > LEAST_SHARE * one.params for arch in found.values())


def test_a_line_drawn_on_may_know_better_than_what_it_is_drawn_from() -> None:
    # Whoever begins slowly ends best: at every short training the order is the wrong way round.
    curves = {name: [30.0 - 0.1 * k + 0.2 * k * rung for rung in (0.0, 0.2, 0.4, 0.8)]
              for k, name in enumerate("abcd")}  # fmt: skip
    rows = [
        Row(CLASS, name, "short", name, 1, 1, 0, steps, 1.0, psnr_y_db)
        for name, curve in curves.items()
        for steps, psnr_y_db in zip((*SHORT, END), curve, strict=True)
    ]
    rows.append(Row(CLASS, "without an end", "short", "e", 1, 1, 0, SHORT[0], 1.0, 31.0))
    figures = account(rows)
    assert figures["networks"] == 4
    assert figures["tau"]["320 steps"] == pytest.approx(-1.0)
    assert figures["tau"]["1,000 and 4,000 drawn on"] == pytest.approx(1.0)


def test_nothing_is_told_of_nothing() -> None:
    assert account([])["networks"] == 0
