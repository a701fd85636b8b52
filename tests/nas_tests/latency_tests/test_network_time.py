from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from nas.evaluate.environment import environment
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
