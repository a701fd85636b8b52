from __future__ import annotations

import time
from itertools import islice
from typing import Any

import pytest

from nas.latency.command.clock import DeviceClock
from nas.latency.command.many import device_of, measure_on_devices
from nas.latency.command.process import CommandFailed, Printed
from nas.latency.device import Device
from nas.latency.fit import fit_model
from nas.latency.model import model_for
from nas.latency.samples import random_networks
from search_spaces import Architecture, Space
from search_spaces.errors import InputError
from tests.nas_tests.latency_tests.made_up_device import (
    COMMAND,
    MadeUpDevice,
    cost_ms,
    made_up_setup,
)

SIZE = (90, 160)


@pytest.fixture(scope="module")
def networks() -> list[Architecture]:
    return list(islice(random_networks(Space.load("tiny"), 4, 0), 24))


def test_a_model_foretells_a_device(networks: list[Architecture], tmp_path: Any) -> None:
    clock = DeviceClock(made_up_setup(), SIZE, run=MadeUpDevice())
    measured = measure_on_devices(networks, clock)
    device = device_of(clock, 4)
    model = fit_model(measured, device, space="tiny", made_with={}, held_out=8)
    assert model.accuracy is not None
    assert model.accuracy.worst_error < 0.02
    assert (device.name, device.threads, device.runtime) == (COMMAND, None, "yaml")
    assert "thread" not in str(device)
    # It is another device wherever it is asked, and nobody has to say so.
    model.save(tmp_path / "model.yaml")
    path = tmp_path / "model.yaml"
    again = model_for(path, lr_size=None, scale=4, place="cpu", elsewhere=False)
    assert again.device == device
    assert Device.from_dict(device.to_dict()) == device


def test_devices_share_the_networks(networks: list[Architecture]) -> None:
    device = MadeUpDevice()
    clock = DeviceClock(made_up_setup("a", "b"), SIZE, run=device)
    measured = measure_on_devices(networks[:6], clock)
    assert device.most_at_once == 2
    assert [one.architecture for one in measured] == [a.to_dict() for a in networks[:6]]
    expected = [cost_ms(a, SIZE) for a in networks[:6]]
    assert [one.latency_ms for one in measured] == pytest.approx(expected)


def test_one_that_a_device_cannot_run_is_left_out(
    networks: list[Architecture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.latency.command.pool._FIRST_WAIT_S", 0.0)
    device, told = MadeUpDevice(), list[str]()
    device.refuses = networks[1].hash
    clock = DeviceClock(made_up_setup(), SIZE, run=device)
    clock.pool.tell = told.append
    measured = measure_on_devices(networks[:3], clock)
    assert [one.architecture for one in measured] == [networks[k].to_dict() for k in (0, 2)]
    assert told[-1].endswith("it is left out")


@pytest.mark.parametrize("failing", ["a", "b"])
def test_whoever_fails_ends_the_others(networks: list[Architecture], failing: str) -> None:
    def run(words: Any, limit_s: float, stop: Any) -> Printed:
        if words[-1] == failing:
            time.sleep(0.1)
            raise InputError("not worth another try")
        stop.wait(60)
        raise CommandFailed("is no longer needed")

    clock = DeviceClock(made_up_setup("a", "b"), SIZE, run=run)
    began = time.monotonic()
    with pytest.raises(InputError, match="another try"):
        measure_on_devices(networks[:4], clock)
    assert time.monotonic() - began < 30
