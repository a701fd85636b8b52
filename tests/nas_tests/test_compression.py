"""The records of a compression, and files of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nas.compression import CompressionStep, read_steps, write_steps
from nas.records import FINISHED, REJECTED, TrialRecord
from search_spaces.errors import InputError


def test_records_come_back_from_their_file(tmp_path: Path) -> None:
    record = TrialRecord(
        3, FINISHED, "compressed:fold", {"a": 1}, "f" * 16, params=5, psnr_y_db=31.5
    )
    steps = (
        CompressionStep(0, "given", True, record, "0-given.safetensors", 10, 1.5),
        CompressionStep(1, "fold", False, replace(record, state=REJECTED, reason="why")),
    )
    write_steps(steps, tmp_path / "records.json")
    assert read_steps(tmp_path / "records.json") == steps
    assert read_steps(tmp_path / "none.json") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "Expecting value"),
        ("{}", "expected a valid array"),
        ("[7]", "0: expected an object, got 7"),
        ('[{"place": 0, "name": "fold", "kept": 1}]', "0.kept: expected a valid boolean"),
        ('[{"place": 0, "name": "fold", "kept": true, "record": {}}]', "0.record.number"),
        (
            '[{"place": 0, "name": "fold", "kept": true, "record": {"number": 1, "state": "x"}}]',
            "state: expected one of",
        ),
        (
            '[{"place": 0, "name": "fold", "kept": true, "file": "../../x.onnx",'
            ' "record": {"number": 1, "state": "finished"}}]',
            "file: expected one beside it",
        ),
    ],
)
def test_a_file_of_another_shape_is_one_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        read_steps(path)
    assert str(caught.value).startswith(f"{path}: no records of a compression (")
