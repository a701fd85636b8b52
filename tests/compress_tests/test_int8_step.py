from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import compress.int8_step
import nas.latency.command.clock
from compress.auto import CompressionPlan, auto
from compress.int8_step import to_int8, usual_ending
from compress.step import Judge
from nas.compression import read_steps
from nas.data import Dataset
from nas.latency.command.clock import DeviceClock
from nas.latency.command.process import Printed
from nas.latency.command.setup import DeviceCommands
from nas.latency.meter import Meter
from nas.records import FINISHED, REJECTED, TrialRecord
from search_spaces import Network
from search_spaces.errors import InputError, MissingExtra, NotPossible, WriteError
from tests.compress_tests.conftest import failing, made_up_int8

BEFORE = TrialRecord(
    7, FINISHED, "compressed:fold", {"a": 1}, "x", params=5, macs=6, memory_mb=3.0,
    latency_ms=9.0, latency_min_ms=8.0, psnr_y_db=30.1, ssim_y=0.9,
)  # fmt: skip
PLAN = CompressionPlan("params", 9000)


def step(
    judge: Judge, network: Network, folder: Path, monkeypatch: Any, ending: str = ".onnx",
    **changes: Any,
) -> Any:  # fmt: skip
    monkeypatch.setattr(compress.int8_step, "quantize", partial(made_up_int8, changes=changes))
    return to_int8(network, BEFORE, 5, folder / f"5-int8{ending}", judge, 0.12)


@pytest.fixture(scope="module")
def judge(small_photos: Dataset) -> Judge:
    return Judge(small_photos, Meter((), (720, 1280), (12, 16), "cpu"), trial=7)


@pytest.fixture(scope="module")
def network(tiny_network: Any) -> Network:
    made = tiny_network(shallow_residual=True)
    assert isinstance(made, Network)
    return made


@pytest.fixture(scope="module")
def in_float(network: Network, judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All steps but int8, in a folder of their own."""
    folder = tmp_path_factory.mktemp("float") / "steps"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compress.int8_step, "quantize", failing(MissingExtra("none", "export")))
        auto(network, PLAN, folder, judge)
    return folder


@pytest.fixture
def folder(in_float: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(in_float, tmp_path / "steps"))


def test_a_graph_that_is_faster_and_smaller_is_kept(
    judge: Judge, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = step(judge, network, tmp_path, monkeypatch)
    assert (found.name, found.kept, found.file) == ("int8", True, "5-int8.onnx")
    assert found.file_bytes == 300
    assert found.note == (
        "minmax ranges, 1 of 12 layers float; 2.50 times as fast as float32 in ONNX Runtime; "
        "30% of its file"
    )
    record = found.record
    assert (record.state, record.source, record.number) == (FINISHED, "compressed:int8", 7)
    assert (record.params, record.macs, record.latency_ms) == (5, 6, 4.0)
    assert (record.psnr_y_db, record.ssim_y, record.memory_mb) == (30.0, 0.89, None)
    # What a model says of another device says nothing of int8 there.
    model: Any = "of another device"
    elsewhere = replace(judge, meter=Meter((), (720, 1280), (12, 16), "cpu", model))
    assert step(elsewhere, network, tmp_path, monkeypatch).record.latency_ms is None
    # A file of another sort is timed in the runtime that reads it.
    found = step(judge, network, tmp_path, monkeypatch, ".tflite")
    assert found.file == "5-int8.tflite"
    assert "2.50 times as fast as float32 in LiteRT" in found.note


def test_fine_tuning_is_the_formats_unless_told_and_it_is_said(
    judge: Judge, network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def tuning(*given: Any, options: Any, on_stage: Any, on_step: Any, **_: Any) -> Any:
        asked.append(options.qat_steps)
        on_stage("fine-tuning with rounding")
        for done in range(1, options.qat_steps + 1):
            on_step(done, 0.1)
        return made_up_int8(*given[:4], changes={"qat_steps": options.qat_steps})

    monkeypatch.setattr(compress.int8_step, "quantize", tuning)
    for ending in (".onnx", ".tflite"):
        to_int8(network, BEFORE, 5, folder / f"5-int8{ending}", judge, 0.12)
    assert asked == [0, 600]
    lines: list[str] = []
    plan = replace(PLAN, int8=".tflite", qat_steps=40)
    # The steps before are the same.
    noted = folder / "plan.json"
    noted.write_text(json.dumps({**json.loads(noted.read_text()), "plan": repr(plan)}))
    made = auto(network, plan, folder, judge, on_stage=lines.append)
    assert asked[-1] == 40
    assert lines == ["int8: fine-tuning with rounding", "int8: step 20/40", "int8: step 40/40"]
    assert "40 steps of fine-tuning with rounding" in made.steps[-1].note
    with pytest.raises(InputError, match="qat steps: expected 0 or more, got -1"):
        replace(PLAN, qat_steps=-1)


def test_on_a_device_the_device_decides(
    judge: Judge, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = Path()

    def run(words: Sequence[str], *_: object) -> Printed:
        nonlocal asked_for
        asked_for = Path(words[1]) if Path(words[1]).name in times_ms else asked_for
        return Printed(f"{times_ms.get(Path(words[1]).name, 2.0)} ms", "")

    def judged_by(command: str, ending: str = ".onnx") -> Any:
        clock = DeviceClock(DeviceCommands.of([command]), (12, 16), run=run)
        meter = Meter((), (720, 1280), (12, 16), "cpu", clock=clock)
        made = {"latency_before_ms": None, "latency_after_ms": None}
        return step(replace(judge, meter=meter), network, tmp_path, monkeypatch, ending, **made)

    # The reference is not the matter here, and is not exported.
    endings = [".onnx", ".yaml", ".tflite", ".int8.onnx"]
    monkeypatch.setattr(DeviceClock, "write", lambda *_: dict.fromkeys(endings, "r"))
    times_ms = {"5-int8.onnx": 4.5}
    found = judged_by("true {onnx}")
    assert (found.kept, found.record.latency_ms) == (True, 4.5)
    assert "2.00 times as fast as float32 on the device" in found.note
    times_ms = {"5-int8.onnx": 9.5}
    assert "int8 takes 9.50 ms, float32 9.00 ms, both on the device" in (
        judged_by("true {onnx}").record.reason
    )
    # What takes other files says nothing of it.
    assert judged_by("true {yaml}").record.latency_ms is None
    # What was given all networks in int8 says what this one takes, and not what int8 gains.
    found = judged_by("true {int8_onnx}")
    assert (found.kept, found.record.latency_ms) == (True, 9.5)
    assert "times as fast" not in found.note
    # A device takes the file for images of one size, which is another than the one that is kept.
    monkeypatch.setattr(nas.latency.command.clock, "sized_file", lambda path, *_: path)
    times_ms = {"5-int8.tflite": 4.5}
    found = judged_by("true {tflite}", ".tflite")
    assert (found.file, found.record.latency_ms) == ("5-int8.tflite", 4.5)
    assert asked_for.parent != tmp_path


@pytest.mark.parametrize(
    ("command", "ending"),
    [
        ("true {tflite}", ".tflite"), ("true {int8_tflite} {width}", ".tflite"),
        ("true {int8_onnx}", ".onnx"), ("true {yaml}", ".onnx"), ("true {onnx} {tflite}", ".onnx"),
    ],
)  # fmt: skip
def test_a_device_gets_the_sort_of_file_that_it_takes(command: str, ending: str) -> None:
    assert usual_ending(DeviceClock(DeviceCommands.of([command]), (12, 16))) == ending


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"psnr_after_db": 29.9}, "int8 costs 0.200 dB, more than 0.12"),
        ({"bytes_after": 1000}, "1,000 bytes"),
        ({"latency_after_ms": 10.5}, "int8 takes 10.50 ms, float32 10.00 ms"),
    ],
)
def test_a_graph_that_is_worse_is_reported_and_gone(
    changes: dict[str, Any],
    said: str,
    judge: Judge,
    network: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = step(judge, network, tmp_path, monkeypatch, **changes)
    assert not found.kept
    assert found.record.state == REJECTED
    assert said in found.record.reason
    assert found.file == ""
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_be_quantised_is_reported(
    judge: Judge, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress.int8_step, "quantize", failing(NotPossible("no such part")))
    found = to_int8(network, BEFORE, 5, tmp_path / "5-int8.onnx", judge, 0.12)
    assert not found.kept
    assert found.record.reason == "no such part"


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (MissingExtra("ONNX needs onnxruntime", "export"), False),
        (InputError("ONNX Runtime cannot load it"), False),
        (NotPossible("the network cannot be exported"), True),
    ],
)
def test_only_what_lies_with_the_network_is_remembered(
    error: InputError, kept: bool, judge: Judge, network: Network, folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(compress.int8_step, "quantize", failing(error))
    made = auto(network, PLAN, folder, judge)
    assert made.int8 is None
    assert made.steps[-1].record.reason == str(error)
    monkeypatch.setattr(compress.int8_step, "quantize", made_up_int8)
    again = auto(network, PLAN, folder, judge)
    assert (again.int8 is None) == kept


def test_a_full_disk_ends_it_and_the_next_start_tries_again(
    judge: Judge, network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress.int8_step, "quantize", failing(WriteError("no room")))
    with pytest.raises(WriteError, match="no room"):
        auto(network, PLAN, folder, judge)
    monkeypatch.setattr(compress.int8_step, "quantize", made_up_int8)
    assert auto(network, PLAN, folder, judge).int8 is not None


def test_auto_ends_with_int8_and_does_it_once(
    judge: Judge, network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fake(_network: Network, _train: Any, _validation: Any, file: Path, **_: Any) -> Any:
        calls.append(file)
        return made_up_int8(_network, _train, _validation, file)

    monkeypatch.setattr(compress.int8_step, "quantize", fake)
    made = auto(network, PLAN, folder, judge)
    assert [one.name for one in made.steps] == ["given", "fold", "prune", "fold", "int8"]
    assert made.int8 == folder / "4-int8.onnx"
    assert made.int8.read_bytes() == b"graph"
    again = auto(network, PLAN, folder, judge)
    assert again.steps == made.steps == read_steps(folder / "steps.json")
    assert len(calls) == 1


def test_int8_is_made_once_its_package_is_there(
    network: Network, judge: Judge, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as lacking:
        find = importlib.util.find_spec
        lacking.setattr(
            importlib.util, "find_spec", lambda name, *a: None if name == "onnx" else find(name, *a)
        )
        without = auto(network, PLAN, folder, judge)
    assert "pip install 'nas-sr[export]'" in without.steps[-1].record.reason
    assert without.int8 is None
    monkeypatch.setattr(compress.int8_step, "quantize", made_up_int8)
    made = auto(network, PLAN, folder, judge).steps[-1]
    assert made.name == "int8"
    assert made.kept
    assert made.record.psnr_y_db is not None
