from __future__ import annotations

import json

import pytest

from nas.cli.published import published
from search_spaces.errors import InputError


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    published("Set5", 2, json_output=True)
    rows = json.loads(capsys.readouterr().out)
    assert {(row["test_set"], row["scale"]) for row in rows} == {("Set5", 2)}
    (imdn,) = (row for row in rows if row["network"] == "IMDN")
    assert (imdn["psnr_db"], imdn["ssim"], imdn["params_k"]) == (38.0, 0.9605, 694)
    assert imdn["multi_adds_g"] is None


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    published("Set14", 4, json_output=False)
    shown = capsys.readouterr().out
    assert "28.61" in shown
    assert "(1) Liu et al., RFDN, ECCVW 2020" in shown


def test_unknown_set() -> None:
    with pytest.raises(InputError, match="no published results for Set6"):
        published("Set6", None, json_output=False)
