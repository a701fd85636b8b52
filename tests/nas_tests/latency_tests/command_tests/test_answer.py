from __future__ import annotations

import pytest

from nas.latency.command.answer import NoTime, milliseconds, parse_pattern


@pytest.mark.parametrize(
    ("printed", "time_ms"),
    [
        ("12", 12.0),
        ("12.5\n", 12.5),
        (".5", 0.5),
        ("took 12.3 ms, all well", 12.3),
        ("1234us", 1.234),
        ("1.5 µs", 0.0015),
        ("250 ns", 0.00025),
        ("3e-1 s", 300.0),
        ("1,234.5 ms", 1234.5),
        ("x2-net  min =    2.81  max =    3.02  avg =    2.91", 2.91),
        ("5 ms\nwrote 7 of them to conv2d v1.2 on 10.0.0.1 (100%)", 7.0),
        ("net,12.3", 12.3),
        ("It took 12.3.", 12.3),
    ],
)
def test_the_last_number_is_the_time(printed: str, time_ms: float) -> None:
    assert milliseconds(printed) == pytest.approx(time_ms)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("", "nothing at all"),
        ("nan", "no number: 'nan'"),
        ("a\nSegmentation fault\n", "no number: 'Segmentation fault'"),
        ("0.0 ms", "0.0, which is no time"),
        ("-3", "-3, which is no time"),
        ("1e999", "1e999, which is no time"),
        # Either the half of a thousand or of a unit.
        ("12,5 ms", "a number with a comma"),
        ("v1.2 conv2d 100%", "no number"),
    ],
)
def test_nonsense_is_no_time(printed: str, told: str) -> None:
    with pytest.raises(NoTime) as refused:
        milliseconds(printed)
    assert told in str(refused.value)


def test_a_pattern_finds_it() -> None:
    printed = "Inference timings in us: Init: 310, avg: 1,250.5\navg: 1500\nmemory 7 MB"
    assert milliseconds(printed, parse_pattern(r"avg: ([\d.]+)")) == 1500
    assert milliseconds(printed, parse_pattern(r"avg: (?P<us>[\d.,]+)$")) == 1.5
    for pattern, told in (("std: (.*)", "nothing that"), ("memory (.*)", "no number but '7 MB'")):
        with pytest.raises(NoTime, match=told):
            milliseconds(printed, parse_pattern(pattern))
