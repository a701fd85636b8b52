"""What the benchmark of trained networks compares, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.proven.__main__ import SEEDS, known
from benchmarks.proven.account import account, architectures, compare, keep
from benchmarks.proven.candidates import Candidates
from benchmarks.proven.classes import CLASSES, WeightClass
from benchmarks.proven.trainings import Job, Row, Rows
from search_spaces import price


def worth(job: Job, psnr_y_db: float, *tested: float) -> Row:
    cost = price(job.architecture)
    return Row(
        job.weight_class, job.network, job.part, job.architecture.hash, cost.params, cost.macs,
        job.seed, job.steps, 1.0, psnr_y_db, *tested,
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
        job = Job(one.name, name, "published", design, seed, one.steps)
        rows.append(worth(job, 31.0 + seed, 36.0 + seed, 32.0))
        rows.append(worth(Job(one.name, "wide 3", "found", rlfn, seed, one.steps), 31.1 + seed))
    rows.append(worth(Job(one.name, name, "twice", design, SEEDS[0], 2 * one.steps), 31.015))
    assert rows.all()[0].set5_psnr_y_db == 36.0
    figures = account(one, rows.all())
    assert figures["networks"][name]["test"] == {"Set5": 36.5, "Set14": 32.0}
    assert "test" not in figures["networks"]["wide 3"]
    assert figures["twice_as_long_gains_db"] == pytest.approx(0.015)
    compare(one, figures, len(SEEDS))
    assert figures["ours"] == {"found": "wide 3"}
    assert figures["ahead_db"] == {"wide 3": {name: pytest.approx(0.1)}}


@pytest.mark.parametrize(("latency_ms", "quick"), [(3.0, "slow 1"), (2.0, "wide 3")])
def test_of_ours_the_quick_ones_are_compared_as_well(latency_ms: float, quick: str) -> None:
    one = CLASSES["x2 10K"]
    figures: dict[str, Any] = {"networks": {
        "ecbsr_m4c16": {"part": "published", "psnr_y_db": 31.0, "each_db": [31.0] * 2,
                        "latency_ms": latency_ms},
        "wide 3": {"part": "found", "psnr_y_db": 31.1, "each_db": [31.1] * 2, "latency_ms": 2.0},
        "slow 1": {"part": "quick", "psnr_y_db": 31.2, "each_db": [31.2] * 2, "latency_ms": 3.0},
        "half": {"part": "quick", "psnr_y_db": 31.3, "each_db": [31.3], "latency_ms": 1.0},
    }}  # fmt: skip
    compare(one, figures, 2)
    assert figures["ours"] == {"found": "slow 1", "quick": quick}
    assert figures["ahead_db"]["slow 1"] == {"ecbsr_m4c16": pytest.approx(0.2)}


def test_what_was_measured_stays_while_the_networks_are_the_same() -> None:
    before = {"networks": {"a": {"hash": "1", "test": {"Set5": 37.0}, "latency_ms": 2.0},
                           "b": {"hash": "2", "test": {"Set5": 36.0}}}}  # fmt: skip
    own: dict[str, Any] = {"networks": {"a": {"hash": "1"}, "b": {"hash": "3"}}}
    keep(before, own)
    assert own["networks"] == {
        "a": {"hash": "1", "test": {"Set5": 37.0}, "latency_ms": 2.0}, "b": {"hash": "3"},
    }  # fmt: skip
    own["networks"] = {"a": {"hash": "1"}}
    keep(before, own)
    # Another latency is of another sitting.
    assert own["networks"]["a"] == {"hash": "1", "test": {"Set5": 37.0}}


def test_what_a_search_sent_on_is_kept_with_the_results(tmp_path: Path) -> None:
    one, kept = CLASSES["x2 10K"], Candidates(tmp_path / "candidates.json")
    assert kept.of(one.name, "fast-luma") is None
    (arch,) = one.family.values()
    kept.keep(one.name, "fast-luma", {"fast-luma 0": arch})
    kept.keep(one.name, "fast-luma quick", {})
    assert kept.of(one.name, "fast-luma quick") == {}
    assert kept.of("x2 13K", "fast-luma") is None
    assert kept.of(one.name, "fast-luma") == {"fast-luma 0": arch} == kept.all(one.name)
    figures = {"networks": {"found earlier": {"hash": arch.hash}, "gone": {"hash": "0" * 16}}}
    assert architectures(one, figures, kept) == {"found earlier": arch}


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
