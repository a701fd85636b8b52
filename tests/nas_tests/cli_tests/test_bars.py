"""What progress says, and how often it is drawn."""

from __future__ import annotations

import time

import pytest

from nas.cli.bars import Throttle, bar, duration, pace, time_left


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h")],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_rates_and_times_left() -> None:
    assert pace(30, 4.0) == "7.5 steps/s"
    assert pace(0, 0.0) == "0.0 steps/s"
    assert time_left(30, 60, 20.0) == "about 40 s left"
    # Nobody knows before the first step, nor where a training goes on.
    assert time_left(0, 60, 20.0) == time_left(5, 60, 0.0) == ""


def test_ten_times_a_second_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    throttle = Throttle()
    drawn = []
    for step in range(100):
        now = 5.0 + step * 0.03
        drawn.append(throttle.due(last=step == 99))
    assert drawn[0]
    assert drawn[99]
    assert 24 <= sum(drawn) <= 27


def test_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("fine-tuning", 3) as advance:
        advance(1)
        advance(2, 5)
    assert capsys.readouterr() == ("", "")
