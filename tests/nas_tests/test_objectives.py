"""The table of objectives, and those that users add to it."""

from __future__ import annotations

from typing import Any

import pytest

from nas.budget import parse_budget
from nas.noise import Noise
from nas.objectives import OBJECTIVES, Objective, add_objective, canonical
from nas.records import FINISHED, Rung, TrialRecord, to_frame
from search_spaces.errors import InputError


def mine(**more: Any) -> Objective:
    return Objective("mine", False, "KB", "Mine", **{"price": lambda arch, hr: 1.0, **more})


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_every_objective_is_typed_limited_and_shown(name: str) -> None:
    one = OBJECTIVES[name]
    assert one.name == name
    assert {canonical(typed.upper()) for typed in (name, *one.aliases)} == {name}
    assert Noise(0.1, 0.2, 0.3).of(name, 2.0) >= 0
    value = 5 * one.divisor
    own = one.price is not None or one.worth is not None
    figures: dict[str, Any] = {"own": {name: value}} if own else {one.attribute: value}
    record = TrialRecord(0, FINISHED, **figures)
    assert one.value(record) == value
    assert one.value(TrialRecord(0, FINISHED)) is None
    assert one.text(value).startswith("5")
    assert one.text(value).endswith(one.unit)
    assert one.label in one.heading
    assert one.text(value) in one.named(one.text(value))
    assert one.limit_text(value) == f"5 {one.unit}".rstrip()
    if one.units:
        assert parse_budget(one.example).name == name
        for unit, factor in one.units.items():
            assert parse_budget(f"3{unit}-{name}").limit == pytest.approx(3 * factor)
    else:
        with pytest.raises(InputError, match=f"unknown figure '{name}'"):
            parse_budget(f"3-{name}")


def test_one_of_ones_own_has_a_budget_a_noise_and_a_column() -> None:
    add_objective(mine(units={"KB": 1.0, "MB": 1e3}, noise=0.1, noise_share_of=abs))
    budget = parse_budget("2MB-mine")
    assert (budget.name, budget.attribute, budget.limit) == ("mine", "mine", 2000.0)
    assert Noise(0.0).of("mine", 30.0) == pytest.approx(3.0)
    record = TrialRecord(0, FINISHED, own={"mine": 7.0}, rungs=(Rung(1, 20.0, 0.5, 1.0),))
    assert OBJECTIVES["mine"].value(record) == 7.0
    frame = to_frame([record, TrialRecord(1, FINISHED)])
    assert frame["mine"].iloc[0] == 7.0
    again = TrialRecord.from_attrs(0, FINISHED, record.to_attrs())
    assert again == record


def test_a_taken_name_changes_nothing() -> None:
    before = dict(OBJECTIVES)
    for name in ("psnr", "flops"):
        with pytest.raises(InputError, match="is there already"):
            add_objective(Objective(name, False, "", "X", price=lambda arch, hr: 1.0))
    assert dict(OBJECTIVES) == before


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"price": None}, "expected either a field of the records"),
        ({"worth": lambda net, photos: 1.0}, "expected either a field of the records"),
        ({"attribute": "params"}, "expected either a field of the records"),
        ({"attribute": "other"}, "expected either a field of the records"),
        (
            {"price": None, "worth": lambda net, photos: 1.0, "units": {"": 1.0}},
            "has to be known before training",
        ),
    ],
)
def test_one_that_cannot_be_found_out_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        mine(**more)


def test_a_name_that_cannot_be_typed_is_refused() -> None:
    with pytest.raises(InputError, match="expected a name such as"):
        Objective("Two words", False, "", "X", price=lambda arch, hr: 1.0)
