"""What stands in the card of a network that ships, and what may not stand there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nas.shipped.card import NAME, read_card
from search_spaces import preset_names
from search_spaces.errors import InputError
from search_spaces.yaml_file import to_yaml
from tests.made_up_shipped import made_up_card, plain_card

CARD = "x4-made-up"


def test_comes_back_equal_from_its_file(tmp_path: Path) -> None:
    card = made_up_card(CARD, psnr_y_db=25.5)
    path = tmp_path / f"{CARD}.yaml"
    path.write_text(card.to_yaml(), encoding="utf-8")
    assert read_card(path) == card
    assert card.validation.gain_db == pytest.approx(1.5)
    assert card.latency.lr_size == (180, 320)


def test_names() -> None:
    for name in ("x2-10k", "x4-320k", "x3-fast-luma"):
        assert NAME.fullmatch(name), name
    for name in (*preset_names(), "x5-10k", "x4", "x4-", "x4-A", "x4-1.5m", "4x-10k", "a/x4-10k"):
        assert not NAME.fullmatch(name), name


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"licence": None}, "licence: expected"),
        ({"psnr": 1.0}, "psnr: unknown key"),
        ({"params": "3"}, "params: expected"),
        ({"params": 0}, "params: expected at least 1, got 0"),
        ({"colors": 2}, "colors: expected"),
        ({"scale": 2}, "name: expected one that begins with x2-"),
        ({"date": "yesterday"}, "date: expected"),
        ({"validation": {"psnr_y_db": 25.0}}, "validation.ssim_y"),
        ({"name": "x4-other"}, "name: expected that of the file, got 'x4-other'"),
    ],
)
def test_refuses_what_is_wrong(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / f"{CARD}.yaml"
    path.write_text(to_yaml(plain_card(CARD) | changes), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_card(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
