"""What the Pareto figure says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.records import FAILED, FINISHED, REJECTED, TrialRecord
from reports.html.pareto_chart import pareto_chart
from reports.plots.pareto import pareto_info
from reports.plots.pareto_figure import draw_pareto
from reports.summary import RunSummary
from search_spaces.errors import InputError

_ROOT = Path(__file__).resolve().parents[2]


def trial(number: int, psnr: float | None, params: int, **more: Any) -> TrialRecord:
    costs: dict[str, Any] = {"macs": params * 50_000, "latency_ms": params / 20_000}
    return TrialRecord(number, FINISHED, psnr_y_db=psnr, params=params, **(costs | more))


RUN = (
    trial(0, 29.0, 200_000),
    trial(1, 29.2, 300_000, source="preset:imdn"),
    trial(2, 29.1, 400_000),
    trial(3, 29.5, 500_000),
    trial(4, 29.3, 450_000, source="preset:e_rfdn"),
    replace(trial(5, 31.0, 100_000), state=FAILED),
    replace(trial(6, None, 900_000), state=REJECTED),
)
SUMMARY = RunSummary(
    "Search within 600K parameters",
    space="distillation",
    data="scikit-image",
    profile="quick",
    scale=4,
    budgets={"params": 600_000},
    latency_at="64×64 input",
    bicubic_psnr_y_db=28.8,
    adapted=frozenset({1, 3}),
)


def test_each_panel_has_the_finished_trials_and_the_front_of_its_plane() -> None:
    info = pareto_info(RUN, SUMMARY)
    assert [panel.objective.name for panel in info.panels] == ["params", "macs", "latency"]
    for panel in info.panels:
        assert [point.number for point in panel.points] == [0, 1, 2, 3, 4]
        assert [point.number for point in panel.front] == [0, 1, 4, 3]
        assert [point.number for point in panel.others] == [2]
        assert panel.best is not None
        assert panel.best.number == 3
        assert panel.best.label == "best: trial 3, 29.50 dB"
    params, macs, latency = info.panels
    assert [p.cost for p in params.front] == [200, 300, 450, 500]
    assert [p.cost for p in macs.front] == [10, 15, 22.5, 25]
    assert [p.cost for p in latency.front] == [10, 15, 22.5, 25]
    assert params.axis_label == "Parameters [K]"
    assert macs.axis_label == "Multi-Adds [G], 1280×720 output"
    assert latency.axis_label == "Latency [ms], 64×64 input"


def of(kind: str) -> dict[str, Any]:
    return {"architecture": {"blocks": [{"repeat": 2, "kind": kind}]}}


def test_families_are_told_apart_where_there_are_several() -> None:
    run = (
        trial(0, 29.0, 200_000, **of("spab")),
        trial(1, 29.2, 300_000, source="preset:disp", **of("plain")),
        trial(2, 29.1, 400_000, **of("spab")),
    )
    info = pareto_info(run, SUMMARY)
    assert info.kinds == ("spab", "plain")
    assert [p.kind for p in info.panels[2].points] == ["spab", "plain", "spab"]
    figure = draw_pareto(info)
    words = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert words.index("spab blocks") < words.index("plain blocks")
    assert "other trial" not in words
    # The page's chart has an entry for each as well, and a shape for each point.
    traces = {trace["name"]: trace for trace in pareto_chart(info).variants[2].traces}
    assert traces["spab blocks"]["marker"]["symbol"] == "circle"
    assert traces["other trial"]["marker"]["symbol"] == ["circle"]
    assert traces["plain blocks"]["marker"]["symbol"] == "triangle-up"
    # Of one kind all are drawn alike, as they are where nothing is known.
    alike = pareto_info([run[0], run[2], trial(3, 28.9, 100_000)], SUMMARY)
    assert alike.kinds == ()
    (legend,) = draw_pareto(alike).legends
    assert "spab blocks" not in [text.get_text() for text in legend.get_texts()]


def test_what_is_weighed_or_limited_has_a_panel_and_a_score_a_logarithmic_axis() -> None:
    run = [trial(k, 29 + k / 10, 100_000, esr_score=10.0**k, memory_mb=50.0) for k in range(4)]
    weighs = replace(SUMMARY, objectives=("psnr", "esr_score"), budgets={"memory_mb": 80.0})
    info = pareto_info(run, weighs)
    names = [panel.objective.name for panel in info.panels]
    assert names == ["params", "macs", "latency", "esr_score", "memory"]
    assert info.panels[3].axis_label == "Challenge score, 64×64 input"
    assert [axis.get_xscale() for axis in draw_pareto(info).axes] == [
        "linear", "linear", "linear", "log", "linear",
    ]  # fmt: skip


def test_the_noise_of_seeds_is_a_band_below_the_highest() -> None:
    assert pareto_info(RUN, SUMMARY).noise_db is None
    noisy = replace(SUMMARY, noise_db=0.2)
    info = pareto_info(RUN, noisy)
    # The difference of two has sqrt(2) times the noise of one: 0.283 dB.
    assert info.noise_db == pytest.approx((29.5 - 0.2 * 2**0.5, 29.5))
    assert (
        "beside the best, trial 4 has 0.200 dB less, within the noise of seeds (0.283 dB), "
        "with 90% of the parameters" in info.notes
    )
    labels = {p.number: p.label for p in info.panels[2].points}
    assert (labels[3], labels[4]) == ("best: trial 3, 29.50 dB", "e_rfdn, as good")
    cheap = pareto_info(RUN, replace(noisy, prefer="cheaper"))
    assert cheap.noise_db == info.noise_db
    assert cheap.panels[0].best is not None
    assert cheap.panels[0].best.number == 4
    assert (
        "beside the best, trial 3 has 0.200 dB more, within the noise of seeds (0.283 dB), "
        "with 1.1 times the parameters" in cheap.notes
    )


def test_the_front_differs_between_planes_where_the_figures_do() -> None:
    run = [trial(0, 29.0, 100, latency_ms=9.0), trial(1, 29.5, 200, latency_ms=3.0)]
    fronts = [[p.number for p in panel.front] for panel in pareto_info(run, SUMMARY).panels]
    assert fronts == [[0, 1], [0, 1], [1]]


def test_published_systems_are_named_and_starred_where_adapted() -> None:
    info = pareto_info(RUN, SUMMARY)
    published = {p.number: (p.label, p.adapted) for p in info.panels[0].published}
    # Trial 3 is in the set of adapted numbers but is no published system.
    assert published == {1: ("imdn*", True), 4: ("e_rfdn", False)}
    assert "* published system adapted to the space" in info.notes
    plain = pareto_info(RUN, replace(SUMMARY, adapted=frozenset()))
    assert not any("adapted" in note for note in plain.notes)


def test_a_published_system_that_is_the_best_keeps_its_name() -> None:
    run = [trial(0, 29.0, 100), trial(1, 29.5, 200, source="preset:imdn")]
    best = pareto_info(run, SUMMARY).panels[0].best
    assert best is not None
    assert best.label == "best: imdn*, 29.50 dB"


def test_walls_stand_at_the_budgets_unless_far_away() -> None:
    params, macs, _ = pareto_info(RUN, SUMMARY).panels
    assert (params.wall, params.wall_label, params.wall_drawn) == (600, "budget 600 K", True)
    assert (macs.wall, macs.wall_label, macs.wall_drawn) == (None, "", False)
    far = pareto_info(RUN, replace(SUMMARY, budgets={"params": 5_000_000})).panels[0]
    assert (far.wall, far.wall_label, far.wall_drawn) == (5000, "budget 5,000 K", False)


def test_best_is_the_best_within_the_budgets() -> None:
    best = pareto_info(RUN, replace(SUMMARY, budgets={"params": 460_000})).panels[0].best
    assert best is not None
    assert best.number == 4


def test_bicubic_is_a_line_when_near_and_a_note_when_far() -> None:
    near = pareto_info(RUN, SUMMARY)
    assert near.bicubic_drawn
    assert near.psnr_range_db[0] < 28.8
    far = pareto_info(RUN, replace(SUMMARY, bicubic_psnr_y_db=26.5))
    assert not far.bicubic_drawn
    assert far.psnr_range_db[0] > 28.8
    assert any("+3.00 dB against bicubic (26.50 dB" in note for note in far.notes)
    restored = replace(SUMMARY, bicubic_psnr_y_db=26.5, baseline="input")
    notes = pareto_info(RUN, restored).notes
    assert any("+3.00 dB against input (26.50 dB" in note for note in notes)
    none = pareto_info(RUN, replace(SUMMARY, bicubic_psnr_y_db=None))
    assert not none.bicubic_drawn
    assert not any("bicubic" in note for note in none.notes)


def test_a_badly_trained_trial_does_not_squash_the_axis() -> None:
    info = pareto_info([*RUN, trial(7, 12.0, 250_000)], SUMMARY)
    assert info.psnr_range_db[0] > 28
    assert any(note.startswith("1 trial below 28.") for note in info.notes)
    assert 7 in {point.number for point in info.panels[0].points}
    assert all(point.psnr_y_db < info.psnr_range_db[1] for point in info.panels[0].points)


def test_title_says_space_data_scale_and_profile() -> None:
    info = pareto_info(RUN, SUMMARY)
    assert info.title == "Search within 600K parameters"
    assert info.subtitle == (
        "distillation space, scikit-image photos, x4, quick profile · 5 trained networks"
    )


def test_missing_latency_is_said_and_not_drawn() -> None:
    without = [replace(record, latency_ms=None) for record in RUN]
    info = pareto_info(without, SUMMARY)
    assert [panel.objective.name for panel in info.panels] == ["params", "macs"]
    assert "latency known for no trial" in info.notes
    some = pareto_info([*RUN[:2], *without[2:]], SUMMARY)
    assert [p.number for p in some.panels[2].points] == [0, 1]
    assert some.panels[2].best is None
    assert "latency known for 2 of 5 trials" in some.notes


@pytest.mark.parametrize("run", [(), RUN[5:]])
def test_nothing_to_draw_is_one_clear_line(run: tuple[TrialRecord, ...]) -> None:
    with pytest.raises(InputError, match=f"at least one finished trial .* {len(run)} trials"):
        pareto_info(run, SUMMARY)


@pytest.mark.parametrize("cost", ["parms", "ssim"])
def test_an_unknown_cost_is_named_with_the_known_ones(cost: str) -> None:
    with pytest.raises(InputError, match=f"'{cost}': use one of params, macs"):
        pareto_info(RUN, SUMMARY, [cost])


def test_costs_that_no_trial_has_are_an_error() -> None:
    with pytest.raises(InputError, match="has any of memory"):
        pareto_info(RUN, SUMMARY, ["memory"])


def test_reports_load_neither_torch_nor_optuna_nor_matplotlib() -> None:
    heavy = ("torch", "optuna", "matplotlib", "rich", "pandas")
    code = (
        "import sys, reports.plots.pareto, reports.plots.published, reports.tables;"
        "import reports.render, reports.outcome;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT)
    assert done.stdout.strip() == "[]"


def test_compressed_networks_are_drawn_from_their_trial_on() -> None:
    def step(number: int, name: str, psnr: float, params: int, shape: str) -> TrialRecord:
        made = trial(number, psnr, params, architecture_hash=shape)
        return replace(made, source=f"compressed:{name}")

    compressed = (
        step(3, "given", 29.5, 500_000, ""),
        step(3, "prune", 28.0, 350_000, "pruned"),
        step(3, "distill", 29.4, 350_000, "pruned"),
        replace(step(3, "fold", 29.4, 340_000, "folded"), state=REJECTED),
        replace(step(3, "int8", 29.35, 350_000, "pruned"), latency_ms=2.0),
        step(99, "prune", 29.0, 100_000, "of no trial"),
    )
    info = pareto_info(RUN, SUMMARY, compressed=compressed)
    assert info.subtitle.endswith("5 trained networks · 1 compressed")
    params, _, latency = info.panels
    assert [[(p.cost, p.psnr_y_db) for p in path] for path in params.compressed] == [
        [(500, 29.5), (350, 29.4), (350, 29.35)]
    ]
    assert [p.cost for p in latency.compressed[0]] == [25, 17.5, 2]
    # Pruned and not yet trained, it would have lowered the axis for nothing.
    assert info.psnr_range_db == pareto_info(RUN, SUMMARY).psnr_range_db
    assert all(not panel.compressed for panel in pareto_info(RUN, SUMMARY).panels)
