from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from nas.evaluate.environment import environment
from nas.latency.clock import Laps
from nas.latency.network_time import measure_latency
from search_spaces.errors import InputError


def test_result_says_what_was_measured() -> None:
    small = nn.Conv2d(3, 4, 3, padding=1).train()
    large = nn.Sequential(nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3), nn.Conv2d(64, 64, 3))
    threads = torch.get_num_threads()
    results = measure_latency([small, large], lr_size=(48, 64), repeats=5, threads=1)
    assert len(results) == 2
    for result in results:
        assert 0 < result.latency_min_ms <= result.latency_ms
        assert (result.lr_size, result.threads) == ((48, 64), 1)
        assert result.repeats in (5, 10, 15, 20)
        assert (result.device, result.dtype) == ("cpu", "float32")
    # 74,000 parameters at each pixel against 112: far beyond any noise.
    assert results[0].latency_min_ms < results[1].latency_min_ms
    assert results[0].reference_ms == results[1].reference_ms > 0
    assert torch.get_num_threads() == threads
    assert small.training
    assert small.weight.requires_grad


def test_a_busy_machine_is_told() -> None:
    (found,) = measure_latency([nn.Conv2d(3, 3, 1)], lr_size=(8, 8), repeats=3)
    assert replace(found, median_ms=found.latency_ms * 1.3).busy
    assert not replace(found, median_ms=found.latency_ms * 1.2).busy
    assert found.measured_with()["median_ms"] == round(found.median_ms, 4)


@pytest.mark.parametrize(
    ("reference_ms", "quiet_ms", "settled", "drift"),
    [
        ([1.0] * 9, None, True, 1.0),
        ([1.0] * 9, 0.98, True, 1.0 / 0.98),
        # Slower throughout than it was before, slower in most rounds, and no news at all.
        ([1.2] * 9, 1.0, False, 1.2),
        ([1.0, 1.0, 1.0] + [1.2] * 33, None, False, 1.2),
        ([1.0] * 9, 5.0, True, 1.0),
        ([9.0] * 9, 1.0, False, 1.5),
    ],
)
def test_what_slows_the_reference_down_is_taken_out(
    reference_ms: list[float],
    quiet_ms: float | None,
    settled: bool,
    drift: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own_ms = (24.0, 24.0, 24.0, 30.0, 60.0)
    third = len(reference_ms) // 3
    laps = {"0": Laps((70.0,) * 5, own_ms)} | {
        f"reference {k}": Laps((9.0,) * third, tuple(reference_ms[k * third : (k + 1) * third]))
        for k in range(3)
    }
    asked = []

    def turns(entrants: Any, *, settled: Any, **_: object) -> dict[str, Laps]:
        assert entrants.keys() == laps.keys()
        asked.append(settled(laps))
        return laps

    monkeypatch.setattr("nas.latency.network_time.time_until_settled", turns)
    (found,) = measure_latency([nn.Conv2d(3, 3, 1)], lr_size=(8, 8), quiet_ms=quiet_ms)
    assert asked == [settled]
    assert found.drift == pytest.approx(drift)
    assert found.latency_ms == pytest.approx(24.0 / drift)
    assert found.latency_min_ms <= found.latency_ms
    assert (found.median_ms, found.repeats, found.busy) == (70.0, 5, True)


def test_one_network_has_a_reference_beside_it() -> None:
    (result,) = measure_latency([nn.Conv2d(1, 2, 1)], lr_size=(8, 8), repeats=3, colors=1)
    assert result.reference_ms > 0


@pytest.mark.parametrize("wrong", [{"repeats": 0}, {"lr_size": (0, 4)}, {"device": "warp"}])
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        measure_latency([nn.Conv2d(3, 3, 1)], **wrong)  # type: ignore[arg-type]


def test_environment_is_ready_for_a_record() -> None:
    found = environment().to_dict()
    assert found["versions"]["torch"] == torch.__version__
    assert found["cores"] >= 1
    assert found["cpu"]
    assert found["revision"]
