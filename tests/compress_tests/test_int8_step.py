from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import compress.int8_step
from compress.auto import CompressionPlan, auto
from compress.int8_step import to_int8
from compress.quantize import Quantized
from compress.step import Judge
from nas.compression import read_steps
from nas.data import Dataset
from nas.latency.meter import Meter
from nas.records import FINISHED, REJECTED, TrialRecord
from search_spaces import Network
from search_spaces.errors import InputError, MissingExtra, NotPossible, WriteError

BEFORE = TrialRecord(
    7, FINISHED, "compressed:fold", {"a": 1}, "x", params=5, macs=6, memory_mb=3.0,
    latency_ms=9.0, latency_min_ms=8.0, psnr_y_db=30.1, ssim_y=0.9,
)  # fmt: skip


def quantized(path: Path, **changes: Any) -> Quantized:
    path.write_bytes(b"graph")
    good = Quantized(
        path, 30.1, 30.0, 0.9, 0.89, 10.0, 4.0, 1000, 300, "minmax", (("minmax", 30.0),), ("a",), 12
    )
    return replace(good, **changes)


def step(judge: Judge, network: Network, folder: Path, monkeypatch: Any, **changes: Any) -> Any:
    def fake(_network: Network, _train: Any, _validation: Any, file: Path, **_options: Any) -> Any:
        return quantized(file, **changes)

    monkeypatch.setattr(compress.int8_step, "quantize", fake)
    return to_int8(network, BEFORE, 5, folder / "5-int8.onnx", judge, 0.12)


@pytest.fixture
def judge(small_photos: Dataset) -> Judge:
    return Judge(small_photos, Meter((), (720, 1280), (12, 16), "cpu"), trial=7)


def test_a_graph_that_is_faster_and_smaller_is_kept(
    judge: Judge, tiny_network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = step(judge, tiny_network(), tmp_path, monkeypatch)
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
    assert step(elsewhere, tiny_network(), tmp_path, monkeypatch).record.latency_ms is None


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
    tiny_network: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = step(judge, tiny_network(), tmp_path, monkeypatch, **changes)
    assert not found.kept
    assert found.record.state == REJECTED
    assert said in found.record.reason
    assert found.file == ""
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_be_quantised_is_reported(
    judge: Judge, tiny_network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress.int8_step, "quantize", failing(NotPossible("no such part")))
    found = to_int8(tiny_network(), BEFORE, 5, tmp_path / "5-int8.onnx", judge, 0.12)
    assert not found.kept
    assert found.record.reason == "no such part"


def failing(error: Exception) -> Any:
    def quantize(*_arguments: Any, **_options: Any) -> None:
        raise error

    return quantize


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (MissingExtra("ONNX needs onnxruntime", "export"), False),
        (InputError("ONNX Runtime cannot load it"), False),
        (NotPossible("the network cannot be exported"), True),
    ],
)
def test_only_what_lies_with_the_network_is_remembered(
    error: InputError,
    kept: bool,
    judge: Judge,
    tiny_network: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, network = CompressionPlan("params", 9000), tiny_network(shallow_residual=True)
    monkeypatch.setattr(compress.int8_step, "quantize", failing(error))
    made = auto(network, plan, tmp_path, judge)
    assert made.int8 is None
    assert made.steps[-1].record.reason == str(error)
    monkeypatch.setattr(
        compress.int8_step, "quantize", lambda _n, _t, _v, file, **_: quantized(file)
    )
    again = auto(network, plan, tmp_path, judge)
    assert (again.int8 is None) == kept


def test_a_full_disk_ends_it_and_the_next_start_tries_again(
    judge: Judge, tiny_network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, network = CompressionPlan("params", 9000), tiny_network(shallow_residual=True)
    monkeypatch.setattr(compress.int8_step, "quantize", failing(WriteError("no room")))
    with pytest.raises(WriteError, match="no room"):
        auto(network, plan, tmp_path, judge)
    monkeypatch.setattr(
        compress.int8_step, "quantize", lambda _n, _t, _v, file, **_: quantized(file)
    )
    assert auto(network, plan, tmp_path, judge).int8 is not None


def test_auto_ends_with_int8_and_does_it_once(
    judge: Judge, tiny_network: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, calls = CompressionPlan("params", 9000), []

    def fake(_network: Network, _train: Any, _validation: Any, file: Path, **_options: Any) -> Any:
        calls.append(file)
        return quantized(file)

    monkeypatch.setattr(compress.int8_step, "quantize", fake)
    made = auto(tiny_network(shallow_residual=True), plan, tmp_path, judge)
    assert [one.name for one in made.steps] == ["given", "fold", "prune", "fold", "int8"]
    assert made.int8 == tmp_path / "4-int8.onnx"
    assert made.int8.read_bytes() == b"graph"
    again = auto(tiny_network(shallow_residual=True), plan, tmp_path, judge)
    assert again.steps == made.steps == read_steps(tmp_path / "steps.json")
    assert len(calls) == 1
