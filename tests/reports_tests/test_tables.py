"""Trials, front and sum of a run in words."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from nas.records import FAILED, FINISHED, REJECTED, TrialRecord
from reports.alike import between_runs
from reports.outcome import summary_rows
from reports.render import to_csv, to_rich
from reports.summary import RunSummary
from reports.tables import front_table, trial_table
from search_spaces.errors import InputError


def trial(number: int, psnr: float | None, params: int | None, **more: Any) -> TrialRecord:
    return TrialRecord(number, FINISHED, psnr_y_db=psnr, params=params, **more)


FULL: dict[str, Any] = {
    "macs": 24_804_000_000,
    "activations": 112_100_000,
    "memory_mb": 61.26,
    "latency_ms": 18.04,
    "ssim_y": 0.81234,
    "train_seconds": 12.6,
}
RUN = (
    trial(2, 29.5, 433_448, **FULL),
    trial(0, 29.0, 200_000, source="preset:imdn"),
    trial(1, 28.9, 300_000, latency_ms=9.0),
    TrialRecord(3, FAILED, params=100_000, reason="loss became NaN"),
    TrialRecord(4, REJECTED, reason="over a [bold] budget | wall"),
    TrialRecord(5, FAILED, reason="loss became NaN"),
)
SUMMARY = RunSummary(
    "Search within 600K parameters",
    space="tiny",
    scale=4,
    budgets={"params": 600_000, "latency_ms": 25.0},
    bicubic_psnr_y_db=28.3,
    proposals=40,
    proposals_fit=39,
    duplicates=1,
    adapted=frozenset({0}),
)
FREE = replace(SUMMARY, budgets={"params": 600_000})


def screen(table: Any, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(table)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_trials_come_by_number_in_human_units() -> None:
    table = trial_table(RUN, SUMMARY)
    assert [row[0] for row in table.rows] == ["0", "1", "2", "3", "4", "5"]
    assert table.headers == (
        ("#", ""), ("source", ""), ("PSNR-Y", "dB"), ("SSIM", ""), ("Params", "K"), ("MAdds", "G"),
        ("Acts", "M"), ("Memory", "MB"), ("Latency", "ms"), ("time", "s"),
    )  # fmt: skip
    assert table.rows[2] == (
        "2", "sampler", "29.500", "0.8123", "433.4", "24.80", "112.1", "61.3", "18.0", "13",
    )  # fmt: skip
    assert table.rows[0][:3] == ("0", "imdn*", "29.000")
    assert table.rows[0][8:] == ("–", "–")
    assert table.marked == 2
    assert table.notes == (
        "3, 5 failed: loss became NaN",
        "4 rejected: over a [bold] budget | wall",
    )


def test_front_comes_best_first_and_leaves_out_columns_nobody_knows() -> None:
    table = front_table([replace(record, ssim_y=None) for record in RUN], SUMMARY)
    assert table.title == "Front of PSNR-Y, Parameters"
    assert [row[0] for row in table.rows] == ["2", "0"]
    assert "SSIM" not in {name for name, _ in table.headers}
    assert table.marked == 0
    assert not table.notes


def test_screen_shows_every_figure_in_80_columns_and_takes_no_markup() -> None:
    text = screen(to_rich(trial_table(RUN, SUMMARY)))
    for figure in ("29.500", "0.8123", "433.4", "24.80", "112.1", "61.3", "18.0", "imdn*"):
        assert figure in text
    assert "over a [bold] budget | wall" in text
    assert "…" not in text


def test_families_have_a_column_where_there_are_several_and_others_make_room() -> None:
    kinds = ("distillation", "spab_v2")
    run = [
        trial(k, 29.0 + k, 433_448, esr_score=1234.5, architecture={"blocks": [{"kind": kind}]},
              **FULL)
        for k, kind in enumerate(kinds)
    ]  # fmt: skip
    table = trial_table(run, SUMMARY)
    assert ("blocks", "") not in trial_table(run[:1], SUMMARY).headers
    assert [row[2] for row in table.rows] == ["distillation", "spab v2"]
    assert [table.is_figure(column) for column in range(4)] == [True, False, False, True]
    text = screen(to_rich(table))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for figure in ("distillation", "spab v2", "29.000", "433.4", "18.0", "1234.50"):
        assert figure in text
    # Latency has a budget here; what was trained when, and activations, go first.
    assert not {"time", "Acts"} & set(text.split())
    assert {"time", "Acts"} <= set(screen(to_rich(table, 120), 120).split())


def test_csv_keeps_every_digit() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(RUN))))
    assert [row["number"] for row in rows] == ["2", "0", "1", "3", "4", "5"]
    assert rows[0]["macs"] == "24804000000"
    assert float(rows[0]["ssim_y"]) == 0.81234
    assert rows[1]["source"] == "preset:imdn"
    assert rows[1]["latency_ms"] == ""
    assert rows[4]["reason"] == "over a [bold] budget | wall"


def test_summary_says_what_was_tried_and_what_came_of_it() -> None:
    rows = dict(summary_rows(RUN, FREE))
    assert rows == {
        "Search": "Search within 600K parameters · tiny space, x4",
        "Budgets": "parameters <= 600.0 K",
        "Trials": "3 finished, 2 failed, 1 rejected, 1 duplicate not trained again",
        "Proposals": "39 of 40 fit the budgets (97.5%)",
        "Front": "2 of 3 finished networks",
        "Best": "trial 2: 29.500 dB (+1.20 dB against bicubic), 433.4 K parameters, "
        "24.80 G multi-adds, 18.0 ms",
        "Best published": "imdn* (trial 0): 29.000 dB (+0.70 dB against bicubic), "
        "200.0 K parameters; the best trial is +0.500 dB against it, with +117% parameters",
    }


def test_at_scale_1_networks_are_held_against_the_input() -> None:
    rows = dict(summary_rows(RUN, replace(FREE, scale=1, baseline="input")))
    assert "(+1.20 dB against input)" in rows["Best"]


def test_summary_says_what_seeds_alone_may_part() -> None:
    noisy = replace(FREE, noise_db=0.4)
    rows = dict(summary_rows(RUN, noisy))
    assert rows["Best"].startswith("trial 2")
    assert rows["As good"] == (
        "trial 0 has 0.500 dB less, within the noise of seeds (0.566 dB), with 46% of the "
        "parameters; --prefer cheaper takes trial 0"
    )
    assert (
        "+0.500 dB against it, within the noise of seeds (0.566 dB), with +117%"
        in (rows["Best published"])
    )
    cheap = dict(summary_rows(RUN, replace(noisy, prefer="cheaper")))
    assert cheap["Best"].startswith("imdn* (trial 0)")
    assert cheap["As good"] == (
        "trial 2 has 0.500 dB more, within the noise of seeds (0.566 dB), with 2.2 times the "
        "parameters"
    )
    rows = dict(summary_rows(RUN, replace(FREE, noise_db=0.1)))
    assert not {"As good", "Nearly"} & set(rows)


def test_the_best_is_not_named_without_a_word_on_what_is_as_good_and_cheaper() -> None:
    run = (
        trial(0, 29.10, 14_000, latency_ms=55.0),
        trial(1, 29.06, 3_500, latency_ms=60.0),
        trial(2, 29.08, 13_900, latency_ms=8.1),
        trial(3, 29.00, 1_000, latency_ms=54.0),
    )
    summary = RunSummary("Search", objectives=("psnr", "params", "latency"), noise_db=0.019)
    rows = dict(summary_rows(run, summary))
    assert rows["Best"].startswith("trial 0")
    assert rows["As good"] == (
        "trial 2 has 0.020 dB less, within the noise of seeds (0.027 dB), with 15% of the latency; "
        "--prefer cheaper takes trial 2"
    )
    # Behind by more than that, but the highest of many is flattered; and it is a quarter of it.
    assert rows["Nearly"] == (
        "trial 1 has 0.040 dB less, 1.5 times the noise of seeds (0.027 dB), with 25% of the "
        "parameters"
    )
    everything = dict(summary_rows(run, replace(summary, noise_db=0.1)))["As good"]
    assert everything == (
        "trial 3 has 0.100 dB less, within the noise of seeds (0.141 dB), with 7% of the "
        "parameters; trial 2 has 0.020 dB less, within the noise of seeds (0.141 dB), with 15% "
        "of the latency; 4 networks in all are alike; --prefer cheaper takes trial 3"
    )


def test_the_preferred_one_is_marked() -> None:
    noisy = replace(FREE, noise_db=0.4)
    for prefer, number in (("better", "2"), ("cheaper", "0")):
        table = front_table(RUN, replace(noisy, prefer=prefer))
        assert table.marked is not None
        assert table.rows[table.marked][0] == number


def test_runs_that_seeds_may_part() -> None:
    noisy = replace(FREE, noise_db=0.4)
    named = [("a", RUN[0], noisy), ("b", RUN[1], noisy), ("c", RUN[2], FREE), ("d", None, FREE)]
    assert between_runs(named) == (
        "The best of a is ahead of that of b by no more than the noise of seeds (0.566 dB)."
    )
    assert between_runs([("a", RUN[0], FREE), ("c", RUN[2], FREE)]) == ""
    assert between_runs(named[:1]) == ""


def test_summary_of_an_empty_run_and_of_one_that_knows_little() -> None:
    assert dict(summary_rows([], RunSummary("Search"))) == {
        "Search": "Search",
        "Trials": "0 finished",
        "Front": "0 of 0 finished networks",
        "Best": "no finished trial within the budgets",
    }
    bare = dict(summary_rows([trial(0, 29.0, None)], RunSummary("Search")))
    assert bare["Best"] == "trial 0: 29.000 dB"
    assert "Best published" not in bare
    assert front_table([], SUMMARY).rows == ()
    assert "Front of" in screen(to_rich(front_table([], SUMMARY)))


def test_photos_are_called_so_once() -> None:
    named = [RunSummary("Search", data=data).setting for data in ("T91", "photos", "my_photos")]
    assert named == ["T91 photos", "photos", "my_photos"]


def test_a_published_system_that_is_the_best_is_not_compared_with_itself() -> None:
    rows = dict(summary_rows(RUN[1:2], FREE))
    assert rows["Best"].startswith("imdn* (trial 0): 29.000 dB")
    assert "Best published" not in rows


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objectives": ("psnr", "flops")}, "unknown objective 'flops': use one of psnr, ssim"),
        ({"budgets": {"latency": 25.0}}, "unknown budgeted attribute 'latency'.*latency_ms"),
    ],
)
def test_a_summary_refuses_unknown_names(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RunSummary("Search", **wrong)
