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


def test_the_best_of_the_family_trains_to_the_end(tmp_path: Path) -> None:
    one, rows = CLASSES["x2 13K"], Rows(tmp_path / "rows.csv")
    trained = []
    for job in known(one, rows):
        trained.append(job)
        rows.append(worth(job, 31.0 + 0.1 * (job.network == "rlfn")))
    assert rows.of(trained[0]) == worth(trained[0], 31.0)
    assert [(job.part, job.network, 5 * job.steps // one.steps) for job in trained] == [
        ("published", "sesr_m5", 5), ("published", "sesr_m5", 5),
        *(("candidate", name, 1) for name in one.family),
        ("family", "rlfn", 5), ("family", "rlfn", 5), ("twice", "sesr_m5", 10),
    ]  # fmt: skip
    assert rows.of(Job(one.name, "other", "found", trained[0].architecture, 2, one.steps)) is None


def test_where_another_process_trains_the_family_nothing_is_chosen(tmp_path: Path) -> None:
    one, rows = CLASSES["x2 13K"], Rows(tmp_path / "rows.csv")
    assert "family" not in {job.part for job in known(one, rows)}
