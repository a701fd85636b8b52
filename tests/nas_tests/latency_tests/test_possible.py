"""Budgets that no network can meet are refused, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.explore.events import Event, SearchStarted
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.latency.meter import Figures, Meter
from nas.latency.network_time import LatencyResult
from nas.latency.possible import Possible, check_possible
from search_spaces import Architecture, Space, price
from search_spaces.errors import InputError, NotPossible
from search_spaces.smallest import smallest
from tests.nas_tests.explore_tests.made_up import ByParameters, MadeUp

TINY, DISTILLATION = Space.load("tiny"), Space.load("distillation")


def params_of(arch: Architecture) -> int:
    return price(arch).params


def meter_of(budget: str, kind: type[Meter] = Meter) -> Meter:
    return kind(make_settings([budget]).budget, (72, 128), (8, 8), "cpu")


@pytest.mark.parametrize("name", ["params", "macs", "activations", "memory"])
def test_what_one_network_meets_is_not_refused(name: str) -> None:
    unlimited = meter_of("1G-params")
    every = [TINY.architecture(TINY.least(labels)) for labels in TINY.combinations()]
    least = min(unlimited.figure(arch, name) for arch in every)
    unit, factor, clearly = ("KB-memory", 1e3, 0.85) if name == "memory" else (f"-{name}", 1, 1)
    check_possible(meter_of(f"{least * factor:.3f}{unit}"), TINY, 4)
    with pytest.raises(NotPossible, match="no network of space 'tiny' at x4 fits"):
        check_possible(meter_of(f"{least * factor * clearly - 1:.3f}{unit}"), TINY, 4)


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ("1K-params", "budget 1K-params: no network of space 'distillation' at x4 fits; the "
         "smallest one takes {}K params"),
        ("1M-macs", "the smallest one takes {}M macs"),
        ("1K-activations", "the smallest one takes {}K activations"),
        ("1KB-memory", "the smallest one takes {} MB"),
        ("1us-latency", "the smallest one takes about {} ms"),
    ],
)  # fmt: skip
def test_an_impossible_budget_names_the_smallest_network(budget: str, told: str) -> None:
    space = DISTILLATION if "params" in budget else TINY
    with pytest.raises(NotPossible) as caught:
        check_possible(meter_of(budget, ByParameters), space, 4)
    before, after = told.split("{}")
    assert before in str(caught.value)
    number, _, rest = str(caught.value).partition(before)[2].partition(after)
    assert float(number) > 0
    assert rest == ": raise the budget"


def test_an_impossible_budget_names_a_space_that_meets_it() -> None:
    least = params_of(TINY.architecture(smallest(TINY, params_of, 4)))
    with pytest.raises(
        NotPossible,
        match="choose space 'fast', which goes down to .* or space 'tiny', which goes down to "
        f"{least / 1e3:.4g}K params or space 'wide', which goes down to 4",
    ):
        check_possible(meter_of(f"{least}-params"), DISTILLATION, 4)


def test_the_smallest_network_named_is_one_that_fits() -> None:
    least = params_of(DISTILLATION.architecture(smallest(DISTILLATION, params_of, 4)))
    check_possible(meter_of(f"{least}-params"), DISTILLATION, 4)
    with pytest.raises(InputError):
        check_possible(meter_of(f"{least - 1}-params"), DISTILLATION, 4)


class Faster(Meter):
    """Networks that take 5 ms, of which far more is predicted."""

    def figure(self, arch: Architecture, name: str) -> float:
        return 100.0 if name == "latency" else super().figure(arch, name)

    def measure(self, arch: Architecture) -> Figures:
        return replace(self.prices(arch), latency_ms=5.0, measured_with={"median_ms": 5.0})


def test_a_latency_is_refused_for_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.possible._elsewhere", lambda *_: ())
    check_possible(meter_of("5ms-latency", Faster), TINY, 4)
    with pytest.raises(NotPossible, match="the smallest one takes about 5 ms"):
        check_possible(meter_of("4ms-latency", Faster), TINY, 4)


def test_spaces_that_meet_a_latency_are_named() -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(NotPossible) as caught:
        check_possible(
            meter_of("5ms-latency", ByParameters), DISTILLATION, 4,
            lambda done, of: told.append((done, of)),
        )  # fmt: skip
    assert str(caught.value) == (
        "budget 5ms-latency: no network of space 'distillation' at x4 fits; the smallest one takes "
        "about 6.9 ms: raise the budget, or choose space 'fast', which goes down to about 4.3 ms "
        "or space 'fused', which goes down to about 4.4 ms or space 'wide', which goes down to "
        "about 4.1 ms"
    )
    # All that is measured is told of: those that predictions rest on, and the small ones.
    assert told[0] == (0, 10)
    assert told[-1][0] == told[-1][1] >= 14
    assert all(done <= of for done, of in told)


@pytest.fixture(scope="module")
def roomier() -> Possible:
    """Under a budget that the smallest networks meet."""
    return check_possible(meter_of("9ms-latency", ByParameters), DISTILLATION, 4)


@pytest.mark.parametrize("budget", ["6.5ms", "7ms"])
def test_a_tight_budget_gets_a_note_that_names_spaces(budget: str, roomier: Possible) -> None:
    possible = check_possible(meter_of(f"{budget}-latency", ByParameters), DISTILLATION, 4)
    assert possible.notes == (
        f"Budget {budget}-latency: hardly any network of space 'distillation' fits, the smallest "
        "ones take about 6.9 ms; where too few are found, raise the budget, or choose space "
        "'fast', which goes down to about 4.3 ms or space 'fused', which goes down to about 4.4 ms "
        "or space 'tiny', which goes down to about 6.2 ms or space 'wide', which goes down to "
        "about 4.1 ms",
    )
    assert possible.points == roomier.points


def test_a_budget_that_is_less_tight_gets_none(roomier: Possible) -> None:
    params = [params_of(DISTILLATION.architecture(point, 4)) for point in roomier.points]
    assert min(params) == params_of(DISTILLATION.architecture(smallest(DISTILLATION, params_of, 4)))
    assert roomier.notes == ()
    assert check_possible(meter_of("14ms-latency", ByParameters), DISTILLATION, 4) == Possible()


def test_a_search_under_a_tight_budget_begins_with_what_fits(tmp_path: Path) -> None:
    least = min(params_of(TINY.architecture(TINY.least(one))) for one in TINY.combinations())
    events: list[Event] = []
    options: dict[str, Any] = {"space": "tiny", "profile": "smoke", "storage": "memory"}
    for budget, notes in ((least / 999, 1), (least / 800, 0)):
        budgets = [f"{budget}ms-latency"]
        settings = make_settings(budgets, trials=1, run=tmp_path / str(notes), **options)
        meter = ByParameters(settings.budget, settings.hr, (8, 8), "cpu")
        run = run_search(settings, events.append, trainer=MadeUp(), meter=meter)
        record = run.records()[0]
        assert (record.source, record.params) == ("smallest", least)
        assert record.architecture_hash in {r.architecture_hash for r in run.front_records()}
        (started,) = [event for event in events if isinstance(event, SearchStarted)]
        assert len(started.notes) == notes
        events.clear()


def test_what_another_meter_has_measured_is_not_measured_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (meter_of("90ms-latency", ByParameters) for _ in range(2))
    check_possible(first, TINY, 4)
    assert len(first.calibration) == 10
    monkeypatch.delattr(ByParameters, "measure")
    monkeypatch.delattr("nas.latency.meter.measure_latency")
    second.take_over(first.calibration, TINY, 4)
    check_possible(second, TINY, 4)
    arch = TINY.architecture(TINY.least(TINY.completed({})))
    assert Meter.figure(second, arch, "latency") > 0


def test_a_busy_machine_is_news_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # One that takes long by chance says nothing.
    passed_ms = [50.0, 5.0, 5.0, 10.0, 15.0, 15.0, 15.0]
    asked: list[float | None] = []

    def measured(networks: Any, *, quiet_ms: float | None, **_: object) -> list[LatencyResult]:
        asked.append(quiet_ms)
        took_ms, reference_ms = passed_ms.pop(0), 1.0 + len(passed_ms)
        return [LatencyResult(5.0, 5.0, took_ms, reference_ms, 1.0, 7, (8, 8), "cpu", 1, "float32")]

    monkeypatch.setattr("nas.latency.meter.measure_latency", measured)
    meter, arch = meter_of("90ms-latency"), TINY.architecture(TINY.least(TINY.completed({})))
    news = []
    while passed_ms:
        meter.measure(arch)
        news.append(meter.busy_news())
    assert news == [None, None, None, 1.5, None, None, None]
    # Each is held against the quickest reference so far.
    assert asked == [None, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0]
