"""What the benchmark of full training compares, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.way_to_the_end.__main__ import summary
from benchmarks.way_to_the_end.cases import CASES, VARIATIONS, variation_of
from benchmarks.way_to_the_end.plan import LONG, SCREENING, Job, Rows, plan, screening, together


def test_an_end_goes_on_with_the_schedule() -> None:
    (whole,) = variation_of("base").recipe(2000).phases
    first, last = variation_of("larger patches").recipe(2000).phases
    assert (first.steps, last.steps) == (1500, 500)
    assert first.lr_size**2 * first.batch == last.lr_size**2 * last.batch
    for step in (10, 700, 1499):
        assert first.rate(step) == pytest.approx(whole.rate(step), rel=2e-3)
    for step in (0, 250, 499):
        assert last.rate(step) == pytest.approx(whole.rate(1500 + step), abs=2e-6)
        muon = whole.filter_rate * whole.pace(1500 + step)
        assert last.filter_rate * last.pace(step) == pytest.approx(muon, abs=1e-3)


@pytest.mark.parametrize("name", VARIATIONS)
def test_each_can_be_said_at_any_length(name: str) -> None:
    for steps in (24, 2000, 8000):
        assert variation_of(name).recipe(steps).steps == steps


def test_those_that_go_together() -> None:
    both = variation_of("teacher + larger patches + l2 at the end + proxy first")
    assert both.teacher
    assert both.init == "proxy"
    assert both.end == {"lr_size": 48, "batch": 2, "loss": "l2"}
    for name in ("cosine + halving", "cosine + l2 at the end", "x2 first + proxy first",
                 "teacher + teacher alone", "batch 16 + larger patches", "l2 + l2 at the end",
                 ):  # fmt: skip
        with pytest.raises(ValueError, match="decides what another one decides"):
            variation_of(name)
    assert together(["cosine", "teacher", "halving", "adam"]) == "cosine + teacher + adam"
    assert together([]) is None


def test_what_is_good_is_trained_longer_and_what_is_dear_at_equal_time(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "rows.csv")
    asked: list[Job] = []
    for job in plan(rows):
        if rows.of(job) is not None:
            continue
        asked.append(job)
        gain = {"teacher": 0.08, "cosine": 0.03, "l2": 0.005}.get(job.variation, 0.0)
        gain -= 0.06 * job.equal_time
        share = 1.5 if "teacher" in job.variation and not job.equal_time else 1.0
        rows.add(job, rows.steps(job), 10.0, share, 25 + gain)
    big, _, small, unplanned = CASES.values()
    assert unplanned not in {job.case for job in asked}
    names = [job.name for job in asked if (job.case, job.base_steps) == (big, LONG)]
    # Cosine was tried with the others alone by then.
    both = "cosine + teacher"
    assert names == [
        "base",
        both,
        f"{both}, equal time",
        "cosine",
        "teacher",
        "teacher, equal time",
    ]
    equal = next(job for job in asked if job.equal_time)
    assert rows.steps(equal) == round(SCREENING / 1.5)
    assert rows.gain_db(Job(big, "teacher", 0, SCREENING)) == pytest.approx(0.02)
    assert [job.case for job in asked[:7]] == [big] * 7
    assert not any(job.variation == "x2 first" and job.case is small for job in asked)
    assert summary(rows)["plain, 2000 steps"]["cosine"]["each_gain_db"] == [0.03, 0.03]
    again = [job for job in plan(rows) if rows.of(job) is None]
    assert again == []


def test_only_some(tmp_path: Path) -> None:
    case = CASES["plain"]
    jobs = list(screening(Rows(tmp_path / "rows.csv"), case, ["teacher + cosine"], 3, 100))
    assert [(job.name, job.seed, job.base_steps) for job in jobs] == [
        ("base", 3, 100), ("teacher + cosine", 3, 100),
    ]  # fmt: skip
