"""Searches whose latencies a device's command tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nas.explore.events import DeviceAway, Event
from nas.explore.search import meter_of, run_search
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.stored import settings_from_text, settings_to_text
from nas.latency.command.clock import DeviceClock
from nas.latency.command.kept import KEPT, KeptTimes
from nas.latency.command.process import CommandFailed, Printed
from nas.latency.meter import Meter
from nas.records import FAILED, FINISHED, TrialRecord
from nas.run import Run
from search_spaces import Architecture, folded
from search_spaces.errors import InputError
from tests.nas_tests.explore_tests.made_up import MadeUp
from tests.nas_tests.latency_tests.made_up_device import COMMAND, MadeUpDevice, cost_ms

SIZE = (90, 160)
TRIALS = 6


class Well(NamedTuple):
    """A search without faults: read only."""

    run: Run
    records: list[TrialRecord]
    asked: int


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Well:
    device = MadeUpDevice()
    run, records = _searched(tmp_path_factory.mktemp("well") / "run", device)
    return Well(run, records, len(device.asked))


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.command.pool._FIRST_WAIT_S", 0.0)
    monkeypatch.setattr("nas.latency.command.pool._LOOK_S", 0.005)


def _settings(folder: Path, **more: Any) -> SearchSettings:
    options: dict[str, Any] = {
        "space": "tiny", "profile": "smoke", "objectives": "psnr,latency", "trials": TRIALS,
        "latency_command": COMMAND, "run": folder, "candidates": 1,
    }  # fmt: skip
    return make_settings("7ms-latency", **options | more)


def _searched(
    folder: Path, device: Any, events: list[Event] | None = None, **more: Any
) -> tuple[Run, list[TrialRecord]]:
    settings = _settings(folder, **more)
    setup = settings.device_commands
    assert setup is not None
    kept = KeptTimes(folder / KEPT, "")
    clock = DeviceClock(setup, settings.latency_lr, kept=kept, run=device)
    meter = Meter(settings.budget, settings.hr, settings.latency_lr, "cpu", clock=clock)
    observer = None if events is None else events.append
    run = run_search(settings, observer, trainer=MadeUp(), meter=meter)
    return run, run.records()


def _figures(records: Sequence[TrialRecord]) -> list[tuple[object, ...]]:
    return [(r.architecture_hash, r.state, r.latency_ms, r.psnr_y_db) for r in records]


def test_the_device_decides(well: Well) -> None:
    trained = [record for record in well.records if record.state == FINISHED]
    assert len(trained) == TRIALS
    for record in trained:
        arch = folded(Architecture.from_dict(record.architecture))
        assert record.latency_ms == pytest.approx(cost_ms(arch, SIZE), abs=1e-4)
        assert (record.latency_ms or 0) <= 7
        told = record.made_with["latency"]
        assert (told["device"], told["threads"], told["drift"]) == (COMMAND, None, 1.0)
    identity = well.run.about["identity"]
    assert identity["latency_command"] == [COMMAND]
    assert identity["latency_threads"] is None


def test_faults_change_nothing(well: Well, tmp_path: Path) -> None:
    faults = [[""], ["dies"], ["nonsense"], ["", "", ""], ["dies", "nonsense"]] * 10
    events: list[Event] = []
    device = MadeUpDevice([fault for some in faults for fault in some])
    _, found = _searched(tmp_path / "badly", device, events)
    assert _figures(found) == _figures(well.records)
    lines = [event.line for event in events if isinstance(event, DeviceAway)]
    assert sum("no route to host" in line for line in lines) >= 10
    assert sum("printed no number" in line for line in lines) >= 10


def test_a_search_that_goes_on_asks_for_nothing_twice(well: Well, tmp_path: Path) -> None:
    class Interrupted(MadeUpDevice):
        left = 40

        def __call__(self, *given: Any) -> Printed:
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return super().__call__(*given)

    first, then = Interrupted(), MadeUpDevice()
    with pytest.raises(KeyboardInterrupt):
        _searched(tmp_path / "run", first)
    _, found = _searched(tmp_path / "run", then)
    assert _figures(found)[-1:] == _figures(well.records)[-1:]
    # The one that was under way is asked for again, and the reference beside others.
    again = set(first.asked) & set(then.asked)
    assert len(again) <= 2
    assert len(first.asked) + len(then.asked) <= well.asked + 6
    done = MadeUpDevice()
    _searched(tmp_path / "run", done)
    assert done.asked == []


def test_a_network_that_the_device_cannot_run_fails_alone(well: Well, tmp_path: Path) -> None:
    # The last one is none of those that are measured first.
    refused = well.records[-1]
    device = MadeUpDevice()
    device.refuses = folded(Architecture.from_dict(refused.architecture)).hash
    _, found = _searched(tmp_path / "run", device)
    of_it = next(r for r in found if r.architecture_hash == refused.architecture_hash)
    assert of_it.state == FAILED
    assert "fails at this network again and again" in of_it.reason
    assert sum(record.state == FINISHED for record in found) >= TRIALS - 1


def test_a_device_that_never_answers_ends_the_search(tmp_path: Path) -> None:
    def dead(*_: object) -> Printed:
        raise CommandFailed("ended with code 255: no route to host")

    with pytest.raises(InputError, match="no answer in 3 tries"):
        _searched(tmp_path / "run", dead)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"latency_command": "bench {onxx}"}, r"unknown place \{onxx\}"),
        ({"latency_command": [COMMAND, COMMAND]}, "got one twice"),
        ({"latency_pattern": "avg"}, "expected one group"),
        ({"latency_limit": 0.0}, "latency_limit: expected more than 0"),
        ({"latency_command": None, "latency_pattern": "(.)"}, "and there is none"),
        ({"latency_command": None, "latency_limit": 3.0}, "and there is none"),
        ({"latency_model": "any.yaml"}, "leave one of them out"),
    ],
)
def test_settings_that_make_no_sense(more: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        _settings(tmp_path, **more)


def test_workers_are_told(tmp_path: Path) -> None:
    more = {"latency_pattern": "avg (.*)", "latency_limit": 7.0}
    settings = _settings(tmp_path, **more, latency_command=[f"{COMMAND} a", f"{COMMAND} b"])
    again = settings_from_text(settings_to_text(settings), "name", run=tmp_path)
    assert again.device_commands == settings.device_commands
    with pytest.raises(InputError, match="there is no program"):
        meter_of(_settings(tmp_path, latency_command="no-program-here {yaml}"))
