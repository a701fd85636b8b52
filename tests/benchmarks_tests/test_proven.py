"""What the benchmark of trained networks compares, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.proven.__main__ import SEEDS, account, known
from benchmarks.proven.classes import CLASSES, WeightClass
from benchmarks.proven.trainings import Job, Row, Rows
from search_spaces import price


def worth(job: Job, psnr_y_db: float) -> Row:
    cost = price(job.architecture)
    return Row(
        job.weight_class, job.network, job.part, job.architecture.hash, cost.params, cost.macs,
        job.seed, job.steps, 1.0, psnr_y_db,
    )  # fmt: skip


@pytest.mark.parametrize("one", CLASSES.values(), ids=list(CLASSES))
def test_all_of_a_class_cost_no_more_than_it_allows(one: WeightClass) -> None:
    networks = {**one.published, **one.family}
    held = [one.published[one.quick_as]] if one.quick_as else list(networks.values())
    assert all(map(one.holds, held))
    assert len({(arch.scale, arch.colors) for arch in networks.values()}) == 1
    assert one.recipe(one.steps).steps == one.steps


def test_the_account(tmp_path: Path) -> None:
    one, rows = CLASSES["x2 10K"], Rows(tmp_path / "rows.csv")
    (name, design), (_, rlfn) = *one.published.items(), *one.family.items()
    for seed in SEEDS:
        rows.append(worth(Job(one.name, name, "published", design, seed, one.steps), 31.0 + seed))
        rows.append(worth(Job(one.name, "wide 3", "found", rlfn, seed, one.steps), 31.1 + seed))
    rows.append(worth(Job(one.name, name, "twice", design, SEEDS[0], 2 * one.steps), 31.015))
    figures = account(one, rows)
    assert figures["ours"] == "wide 3"
    assert figures["ahead_db"] == {name: pytest.approx(0.1)}
    assert figures["twice_as_long_gains_db"] == pytest.approx(0.015)


def test_what_is_done_is_known(tmp_path: Path) -> None:
    one, rows = CLASSES["x2 13K"], Rows(tmp_path / "rows.csv")
    jobs = list(known(one))
    for job in jobs[:3]:
        rows.append(worth(job, 31.25))
    assert [(job.part, job.seed, job.steps // one.steps) for job in jobs[:3]] == [
        ("published", 0, 1), ("published", 1, 1), ("twice", 0, 2),
    ]  # fmt: skip
    assert rows.of(jobs[0]) == worth(jobs[0], 31.25)
    assert {job.part for job in jobs[3:]} == {"family"}
    assert rows.of(Job(one.name, "other", "found", jobs[0].architecture, 2, one.steps)) is None
