from __future__ import annotations

import json

import pytest

from nas.cli.presets import presets
from search_spaces import preset_names


def test_json_has_every_preset_with_its_prices(capsys: pytest.CaptureFixture[str]) -> None:
    presets(json_output=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == preset_names()
    assert rows["imdn"]["params"] == {"x2": 694_404, "x3": 703_059, "x4": 715_176}
    assert rows["e_rfdn"]["macs"]["x4"] / 1e9 == pytest.approx(23.76, abs=0.01)
    assert rows["rfdn"]["design"] == "published"
    assert rows["lmswn"]["design"] == rows["drn"]["design"] == "our reading"
    assert all(row["source"] for row in rows.values())


def test_table_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    presets(json_output=False)
    shown = capsys.readouterr().out
    assert [name for name in preset_names() if f" {name} " not in shown] == []
    assert "our reading" in shown
