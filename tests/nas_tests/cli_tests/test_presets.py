from __future__ import annotations

import json
from pathlib import Path

import pytest

from nas.cli.presets import presets
from nas.shipped.catalog import cards
from search_spaces import preset_names
from tests.made_up_shipped import made_up_card


def test_json_has_every_preset_with_its_prices(capsys: pytest.CaptureFixture[str]) -> None:
    presets(json_output=True)
    told = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in told["presets"]}
    assert list(rows) == preset_names()
    assert rows["imdn"]["params"] == {"x2": 694_404, "x3": 703_059, "x4": 715_176}
    assert rows["e_rfdn"]["macs"]["x4"] / 1e9 == pytest.approx(23.76, abs=0.01)
    assert rows["rfdn"]["design"] == "published"
    assert rows["lmswn"]["design"] == rows["drn"]["design"] == "our reading"
    assert all(row["source"] for row in rows.values())
    assert [card["name"] for card in told["shipped"]] == [card.name for card in cards()]


def test_table_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    presets(json_output=False)
    shown = capsys.readouterr().out
    assert [name for name in preset_names() if f" {name} " not in shown] == []
    assert "our reading" in shown


def test_table_of_what_ships(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", tmp_path)
    presets(json_output=False)
    assert "Ships with" not in capsys.readouterr().out
    for name, psnr_y_db in (("x4-one", 25.5), ("x2-other", 23.0)):
        card = made_up_card(name, psnr_y_db=psnr_y_db)
        (tmp_path / f"{name}.yaml").write_text(card.to_yaml(), encoding="utf-8")
    presets(json_output=False)
    lines = capsys.readouterr().out.split("Ships with")[1].splitlines()
    rows = [line.split() for line in lines if line.startswith((" x2-", " x4-"))]
    assert rows == [
        ["x2-other", "x2", "1.0", "0.01", "23.00", "(-1.00)", "12.5"],
        ["x4-one", "x4", "1.0", "0.01", "25.50", "(+1.50)", "12.5"],
    ]
    assert "x4-one: A network that was made up. Latency: 320×180" in "\n".join(lines)
    assert max(map(len, lines)) <= 80
