from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas.deploy.onnx_file import INPUT, OUTPUT
from nas.deploy.onnx_graph import Graph, Node
from nas.latency.command.clock import DeviceClock
from nas.latency.command.files import reference_architecture
from nas.latency.command.kept import KeptTimes
from nas.latency.command.process import Printed
from nas.latency.command.setup import DeviceCommands
from nas.quiet import alone_with
from search_spaces import Architecture, Network, build
from search_spaces.errors import InputError, NotPossible
from tests.nas_tests.latency_tests.made_up_device import MadeUpDevice, cost_ms, made_up_setup
from tests.requirements import needs

SIZE = (15, 16)


def tflite_of(graph: Graph, **options: Any) -> bytes:
    from nas.deploy.litert.walk import tflite

    return tflite(graph, {}, **options)


def _network(channels: int = 8) -> Network:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    return build(Architecture.from_dict({"scale": 4, "channels": channels, "blocks": [block]}))


def _clock(
    device: MadeUpDevice, *more: str, kept: Path | None = None
) -> tuple[DeviceClock, list[str]]:
    keeps = KeptTimes(kept, "") if kept else None
    clock, told = DeviceClock(made_up_setup(*more), SIZE, kept=keeps, run=device), list[str]()
    clock.pool.tell = told.append
    return clock, told


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.command.pool._FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("nas.latency.command.pool._LOOK_S", 0.005)


def test_a_network_in_turns_with_the_reference() -> None:
    device, network = MadeUpDevice(), _network()
    clock, told = _clock(device)
    found = clock.measure(network)
    expected_ms = cost_ms(network.architecture, SIZE)
    assert (found.latency_ms, found.latency_min_ms) == pytest.approx((expected_ms, expected_ms))
    assert (found.drift, found.repeats, found.lr_size, found.threads) == (1.0, 3, SIZE, None)
    assert found.device == clock.setup.commands[0].text
    own, reference = network.architecture.hash, reference_architecture(4, 3).hash
    assert device.asked == [own, reference, reference, own, own, reference]
    assert device.words[3:] == ["15", "16"]
    assert told == []


def test_what_slows_the_reference_is_taken_out() -> None:
    device = MadeUpDevice()
    clock, _ = _clock(device)
    quiet = clock.measure(_network())
    device.slow = 1.3
    later = clock.measure(_network())
    assert later.drift == pytest.approx(1.3)
    assert later.latency_ms == pytest.approx(quiet.latency_ms)
    assert later.median_ms == pytest.approx(1.3 * quiet.latency_ms)
    # As it drifts, more rounds are asked for.
    assert later.repeats == 9


def test_faults_cost_a_line_each_and_nothing_else() -> None:
    faults = ["", "dies", "nonsense", "", "nonsense", "dies", "dies", "", "nonsense"]
    device, network = MadeUpDevice(faults), _network()
    clock, told = _clock(device)
    found = clock.measure(network)
    # One was asked for once more, to tell the device's fault from a network's.
    assert replace(found, repeats=3) == _clock(MadeUpDevice())[0].measure(network)
    assert len(told) == 6
    assert told[0].endswith("ended with code 255: no route to host; tried again in 0 s")
    assert told[1].endswith("printed no number: 'gibberish'; tried again in 0 s")


@pytest.mark.parametrize("period", [2, 3, 4])
def test_a_device_that_fails_at_regular_calls_is_no_networks_fault(period: int) -> None:
    # Every second call fails, as the turns are of two; or all but every third.
    faults = [["", *["dies"] * (period - 1)], [*[""] * (period - 1), "dies"]]
    for some in faults:
        clock, _ = _clock(MadeUpDevice(some * 200))
        assert clock.measure(_network()).repeats >= 3


def test_waits_grow_and_an_answer_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.command.pool._FIRST_WAIT_S", 0.001)
    monkeypatch.setattr("nas.latency.command.pool._MOST_WAIT_S", 0.004)
    clock, told = _clock(MadeUpDevice(["", *["dies"] * 4, "", "dies"]))
    clock.measure(_network())
    assert [line.rpartition(" in ")[2] for line in told] == [
        "0.001 s", "0.002 s", "0.004 s", "0.004 s", "0.001 s",
    ]  # fmt: skip


def test_a_command_that_never_answers_is_given_up() -> None:
    clock, told = _clock(MadeUpDevice(["nonsense"] * 9))
    with pytest.raises(InputError, match=r"no answer in 3 tries: printed no number"):
        clock.measure(_network())
    assert len(told) == 2


def test_a_device_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.command.pool._PATIENCE_S", 0.05)
    clock, told = _clock(MadeUpDevice(["", *["dies"] * 999]))
    with pytest.raises(InputError, match=r"what was measured is kept, and the same command goes"):
        clock.measure(_network())
    assert len(told) > 3


def test_time_between_calls_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    device = MadeUpDevice()
    clock, told = _clock(device)
    clock.measure(_network())
    monkeypatch.setattr("nas.latency.command.pool._PATIENCE_S", 0.2)
    time.sleep(0.3)
    device.faults = ["dies", "dies"]
    assert clock.measure(_network(12)).repeats >= 3
    assert len(told) == 2


def test_waiting_for_another_run_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.command.pool._QUIETLY_S", 0.01)
    clock, told = _clock(MadeUpDevice())
    with ThreadPoolExecutor(1) as other, alone_with(clock.pool._devices[0].lock) as held:
        assert held
        waiting = other.submit(clock.measure, _network())
        while not told:
            time.sleep(0.01)
        assert not waiting.done()
        clock.pool.stop.set()
    assert told == ["waits for others of your runs that ask the same device"]


def test_a_network_that_the_device_cannot_run() -> None:
    device, network = MadeUpDevice(), _network()
    device.refuses = network.architecture.hash
    with pytest.raises(NotPossible, match="fails at this network again and again"):
        _clock(device)[0].measure(network)
    # The reference was answered in between; others are measured as ever.
    device.refuses = ""
    assert _clock(device)[0].measure(_network(12)).drift == 1.0


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    device, network = MadeUpDevice(), _network()
    found = _clock(device, kept=tmp_path)[0].measure(network)
    asked = len(device.asked)
    clock, _ = _clock(device, kept=tmp_path)
    assert clock.measure(network) == found
    assert len(device.asked) == asked
    # A device that has answered before is waited for, from the first call on.
    device.faults = ["dies"] * 5
    clock.measure(_network(12))
    # Another device, another pattern, a damaged file: asked anew.
    for change in ("other", "damaged"):
        asked = len(device.asked)
        if change == "damaged":
            for path in tmp_path.iterdir():
                path.write_text("{")
        more = ["other"] if change == "other" else []
        _clock(device, *more, kept=tmp_path)[0].measure(network)
        assert len(device.asked) > asked


def test_what_slowed_is_known_after_a_new_start(tmp_path: Path) -> None:
    device = MadeUpDevice()
    _clock(device, kept=tmp_path)[0].measure(_network())
    device.slow = 1.2
    later = _clock(device, kept=tmp_path)[0].measure(_network(12))
    assert later.drift == pytest.approx(1.2)
    assert later.latency_ms == pytest.approx(cost_ms(_network(12).architecture, SIZE))


def test_a_device_has_one_call_at_a_time_and_several_share_the_work() -> None:
    networks = [_network(4 * k) for k in range(1, 7)]
    for names, most in (((), 1), (("a", "b"), 2)):
        device = MadeUpDevice()
        clock, _ = _clock(device, *names)
        # Other clocks are as those of other processes: a lock is all that they share.
        clocks = [clock, _clock(device, *names)[0]]
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(lambda k, c=clocks: c[k % 2].measure(networks[k]), range(6)))
        assert device.most_at_once == most
        expected = [cost_ms(network.architecture, SIZE) for network in networks]
        assert [one.latency_ms for one in found] == pytest.approx(expected)
        assert len({one.device for one in found}) == most


def test_another_device_takes_over() -> None:
    def run(words: list[str], limit_s: float, stop: threading.Event) -> Printed:
        return dead(words, limit_s, stop) if words[-1] == "a" else alive(words, limit_s, stop)

    dead, alive = MadeUpDevice(["dies"] * 999), MadeUpDevice()
    clock = DeviceClock(made_up_setup("a", "b"), SIZE, run=run)  # type: ignore[arg-type]
    clock.pool.tell = lambda line: None
    assert clock.measure(_network()).device.endswith(" b")


def test_ctrl_c_passes_at_once() -> None:
    def run(*_: object) -> Printed:
        raise KeyboardInterrupt

    clock = DeviceClock(made_up_setup(), SIZE, run=run)
    with pytest.raises(KeyboardInterrupt):
        clock.measure(_network())
    # And the device is free for others.
    device = MadeUpDevice()
    assert _clock(device)[0].measure(_network()).repeats == 3


def test_a_file_as_it_lies_there(tmp_path: Path) -> None:
    device = MadeUpDevice()
    clock, _ = _clock(device)
    path = tmp_path / "my net.v1.YAML"
    network = _network()
    network.architecture.save(path.with_suffix(".yaml"))
    path.with_suffix(".yaml").rename(path)
    assert clock.measure_file(path, network.architecture).repeats == 3
    assert device.words[2].startswith("/")
    with pytest.raises(InputError, match=r"the command takes networks as \.yaml"):
        clock.measure_file(tmp_path / "net.onnx", network.architecture)


def test_a_file_for_any_size_is_given_as_one_for_the_size_that_is_measured(tmp_path: Path) -> None:
    needs("ai-edge-litert")
    from nas.deploy.litert.interpreter import open_tflite

    graph = Graph((Node("Relu", (INPUT,), OUTPUT, {}),), {}, {}, {INPUT: 3, OUTPUT: 3})
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite_of(graph))
    clock = DeviceClock(DeviceCommands.of(["sh bench {int8_tflite}"]), SIZE)
    (made,) = clock.files_of(path).values()
    assert open_tflite(made).inputs[0].shape == (1, 3, *SIZE)
    assert made.suffix == ".tflite"
    path.write_bytes(tflite_of(graph, lr_size=SIZE))
    assert set(clock.files_of(path).values()) == {path}
