from __future__ import annotations

from typing import Any

import pytest

from nas.records import FINISHED, TrialRecord
from reports.devices import devices_text
from reports.outcome import summary_rows
from reports.summary import RunSummary


def _record(number: int, **latency: Any) -> TrialRecord:
    told = {"latency": latency} if latency else {}
    return TrialRecord(number, FINISHED, latency_ms=5.0, made_with=told)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [_record(0)],
        [_record(0, device="a {onnx}", reference_ms=2.0)] * 3,
        # A model is no device.
        [_record(0, device="a", reference_ms=2.0), _record(1, device="b", predicted_by="0")],
    ],
)
def test_one_device_is_no_news(records: list[TrialRecord]) -> None:
    assert devices_text(records) == ""


def test_several_devices_and_how_alike_they_are() -> None:
    records = [_record(k, device="a {onnx}", reference_ms=ms) for k, ms in enumerate((2, 2, 9))]
    records.append(_record(3, device="b {onnx}", reference_ms=2.1))
    told = (
        "a {onnx}: 3 networks, the reference 2 ms; "
        "b {onnx}: 1 network, the reference 2.1 ms, 5% slower"
    )
    assert devices_text(records) == told
    assert ("Devices", told) in summary_rows(records, RunSummary("a search"))
