"""Which network is taken where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas.shipped.catalog import best_at, card_of, cards, shipped_names, shipped_weights
from search_spaces.errors import InputError
from tests.made_up_shipped import made_up_card

GIVEN = {
    "x2-large": {"psnr_y_db": 30.1, "params": 60_000},
    "x2-small": {"psnr_y_db": 30.0, "params": 5_000},
    "x3-one": {"psnr_y_db": 28.0},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", tmp_path)
    for name, changes in GIVEN.items():
        card = made_up_card(name, **changes)
        (tmp_path / f"{name}.yaml").write_text(card.to_yaml(), encoding="utf-8")
    return tmp_path


def test_by_name(folder: Path) -> None:
    assert shipped_names() == sorted(GIVEN)
    assert [card.name for card in cards()] == ["x2-small", "x2-large", "x3-one"]
    assert card_of("x2-small").params == 5_000
    assert shipped_weights("x2-small") == folder / "x2-small.safetensors"
    with pytest.raises(InputError, match="no network 'x2-smal' ships: did you mean 'x2-small'"):
        card_of("x2-smal")


def test_the_best_of_a_scale_is_that_of_the_photos_that_choose(folder: Path) -> None:
    assert best_at(2).name == "x2-large"
    assert best_at().name == "x3-one"
    # Whatever it has on the sets that nothing is chosen on.
    card = made_up_card("x2-set5", psnr_y_db=30.05)
    card = card.model_copy(update={"test": made_up_card("x2-set5", psnr_y_db=40.0).test})
    (folder / "x2-set5.yaml").write_text(card.to_yaml(), encoding="utf-8")
    assert best_at(2).name == "x2-large"
    card = made_up_card("x4-bad", psnr_y_db=20.0)
    (folder / "x4-bad.yaml").write_text(card.to_yaml(), encoding="utf-8")
    assert best_at().name == "x4-bad"


def test_a_scale_of_which_none_ships(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        best_at(4)
    assert str(caught.value) == (
        "no network of scale 4 ships; scales of those that ship: 2 (x2-small, "
        "x2-large), 3 (x3-one); give a network of your own"
    )
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(InputError, match="of those that ship: none at all"):
        best_at()
