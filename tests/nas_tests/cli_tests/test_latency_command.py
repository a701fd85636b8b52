"""``nas latency`` by a command, in a process of its own."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import fake_device
from search_spaces import Architecture, preset
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]

DEVICE = f"{shlex.quote(sys.executable)} -S -E {shlex.quote(fake_device.__file__)}"
CALL = f"{DEVICE} {{yaml}} {{height}} {{width}}"


@pytest.fixture
def net(tmp_path: Path) -> Path:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch = {"scale": 2, "channels": 4, "blocks": [block]}
    Architecture.from_dict(arch).save(tmp_path / "net.yaml")
    return tmp_path / "net.yaml"


def test_a_device_says_all(command: Command, net: Path, tmp_path: Path) -> None:
    asked = ("latency", net, "--reference", "rfdn", "--scale", 2, "--latency-command", CALL)
    told = json.loads(command(*asked, "--json").out)
    preset("rfdn", 2).save(tmp_path / "rfdn.yaml")
    expected = [fake_device.cost_ms(str(path), 9, 8) for path in (net, tmp_path / "rfdn.yaml")]
    rows = told["networks"]
    assert [row["median_ms"] for row in rows] == pytest.approx(expected)
    assert [row["runtime"] for row in rows] == ["yaml", "yaml"]
    assert (told["device"], told["threads"], rows[0]["rounds"]) == (CALL, None, 3)
    shown = command(*asked, "--rounds", 1)
    assert (shown.code, shown.err) == (0, "")
    assert f"320x180 input, yaml, float32, {DEVICE}" in shown.out.replace("\n", " ")


def test_a_device_with_faults(command: Command, net: Path, tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    faults.write_text("well dies")
    call = f"{CALL} {shlex.quote(str(faults))}"
    outcome = command("latency", net, "--reference", net, "--latency-command", call)
    assert outcome.code == 0
    (line,) = outcome.err.splitlines()
    assert line.startswith("nas: ")
    assert line.endswith("ended with code 255: device: no route to host; tried again in 1 s")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--latency-command", "bench"), "expected a place for a network's file, such as {onnx}"),
        (("--latency-command", "no-program-here {yaml}"), "there is no program"),
        (("--latency-command", CALL, "--layers"), "--layers: is of a measurement on this machine"),
        (("--latency-command", CALL, "--threads", 1), "--threads: is of a measurement on this"),
        (("--latency-command", CALL, "--latency-limit", -1), "--latency-limit: expected more"),
        (("--latency-pattern", "(.*)"), "--latency-pattern: is of a --latency-command"),
        (("other.onnx", "--latency-command", CALL), "other.onnx"),
    ],
)
def test_what_is_refused(
    options: tuple[object, ...], told: str, command: Command, net: Path
) -> None:
    outcome = command("latency", net, "--reference", net, *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
