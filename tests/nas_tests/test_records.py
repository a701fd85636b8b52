"""Records on their way to Optuna's attributes and to tables."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nas.records import FAILED, FINISHED, Rung, TrialRecord, to_frame
from search_spaces.errors import InputError

FULL = TrialRecord(
    3, FINISHED, source="preset:rfdn", architecture={"scale": 4}, architecture_hash="0" * 16,
    params=1, macs=2, activations=3, memory_mb=0.5, latency_ms=1.5, latency_min_ms=1.25,
    psnr_y_db=30.0, ssim_y=0.5, train_steps=10, train_seconds=0.0, reason="",
    made_with={"profile": "quick"},
)  # fmt: skip


def test_round_trip_through_json() -> None:
    attrs = json.loads(json.dumps(FULL.to_attrs()))
    assert TrialRecord.from_attrs(3, FINISHED, attrs) == FULL


def test_numbers_of_numpy_are_taken_as_plain_ones() -> None:
    rung = Rung(
        cast(int, np.int64(3)), np.float64(30.5), cast(float, np.float32(0.5)), np.float64(1.0),
        own={"worst": np.float64(2.0)},
    )  # fmt: skip
    assert {type(value) for value in (rung.step, *asdict(rung).values())} == {int, float, dict}
    record = TrialRecord(0, FINISHED, psnr_y_db=rung.psnr_y_db, rungs=(rung,))
    assert json.loads(json.dumps(record.to_attrs()))["rungs"][0]["own"] == {"worst": 2.0}


def test_unknown_figures_take_no_attribute() -> None:
    assert TrialRecord(0, FAILED, reason="diverged").to_attrs() == {
        "source": "sampler", "reason": "diverged",
    }  # fmt: skip


def test_costs_are_known_once_the_last_attribute_is_written() -> None:
    attrs = FULL.to_attrs()
    assert FULL.has_costs
    *first, last = attrs
    assert not TrialRecord.from_attrs(3, FINISHED, {name: attrs[name] for name in first}).has_costs
    assert TrialRecord.from_attrs(3, FINISHED, {last: attrs[last]}).has_costs


def test_zero_is_a_known_figure() -> None:
    assert FULL.to_attrs()["train_seconds"] == 0.0


def test_attributes_of_others_are_passed_over() -> None:
    attrs = {"params": 5, "number": 9, "state": "odd", "nas_worker": "host-1"}
    assert TrialRecord.from_attrs(1, FINISHED, attrs) == TrialRecord(1, FINISHED, params=5)


@given(
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    st.one_of(st.none(), st.integers(0)),
)
def test_figures_survive_to_the_last_bit(psnr: float | None, macs: int | None) -> None:
    record = TrialRecord(0, FINISHED, psnr_y_db=psnr, macs=macs)
    attrs = json.loads(json.dumps(record.to_attrs()))
    assert TrialRecord.from_attrs(0, FINISHED, attrs) == record


@pytest.mark.parametrize(
    ("attrs", "told"),
    [
        ({"params": "many"}, "trial 7: params: expected a valid integer, got 'many'"),
        ({"params": -1}, "trial 7: params: expected at least 0, got -1"),
        ({"psnr_y_db": math.nan}, "trial 7: psnr_y_db: expected a finite number, got nan"),
        ({"psnr_y_db": math.inf}, "trial 7: psnr_y_db: expected a finite number, got inf"),
        ({"rungs": 5}, "trial 7: rungs: expected a valid array, got 5"),
        ({"rungs": [{"step": 3}]}, "trial 7: missing key 'rungs.0.psnr_y_db'"),
        ({"architecture": []}, "trial 7: architecture: expected an object, got \\[\\]"),
        ({"made_with": {"recipe": 3}}, "trial 7: made_with.recipe: expected a mapping"),
        ({"architecture_hash": "../../x"}, "trial 7: architecture_hash: expected 16 hex digits"),
        ({"reason": None}, "trial 7: reason: expected a valid string, got None"),
    ],
)
def test_figures_of_another_type_are_refused(attrs: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        TrialRecord.from_attrs(7, FINISHED, attrs)


def test_unknown_states_and_falling_rungs_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"trial 7: state: expected one of finished, .*, got 'odd'"
    ):
        TrialRecord.from_attrs(7, "odd", {})
    rungs = [asdict(Rung(step, 30.0, 0.5, 1.0)) for step in (40, 20)]
    with pytest.raises(InputError, match=r"trial 7: rungs: .* rise, got \[40, 20\]"):
        TrialRecord.from_attrs(7, FINISHED, {"rungs": rungs})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([f.name for f in fields(TrialRecord)]), JSON), JSON)
@example(attrs={}, state={"\n": math.inf})
def test_whatever_stands_there_is_a_record_or_one_line(attrs: dict[str, Any], state: Any) -> None:
    record, told = None, ""
    try:
        record = TrialRecord.from_attrs(1, state, attrs)
    except InputError as error:
        told = str(error)
    if record is None:
        assert told.startswith("trial 1: ")
        assert "\n" not in told
    else:
        to_frame([record])


def test_preset() -> None:
    assert FULL.preset == "rfdn"
    assert TrialRecord(0, FINISHED).preset is None


def test_frame_has_a_row_a_record_and_flat_columns() -> None:
    frame = to_frame([FULL, TrialRecord(4, FAILED)])
    nested = {"architecture", "made_with", "own", "rungs"}
    of_the_trial = [f.name for f in fields(TrialRecord) if f.name not in nested]
    of_its_last_rung = [f"rung_{f.name}" for f in fields(Rung) if f.name not in nested]
    # Of the architecture the kinds of its blocks stand beside where it came from.
    of_the_trial.insert(of_the_trial.index("source") + 1, "blocks")
    assert list(frame.columns) == of_the_trial + of_its_last_rung
    assert list(frame["number"]) == [3, 4]
    assert frame["psnr_y_db"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ([{"repeat": 4, "kind": "spab"}], "spab"),
        (
            [{"kind": "plain"}, "spab_v2", {"kind": "plain", "residual": "output"}],
            "plain + spab_v2",
        ),
        ({"kind": "plain"}, "plain"),
        ([{"repeat": 3}], ""),
        ([], ""),
    ],
)
def test_a_network_is_of_the_kinds_of_its_blocks(blocks: object, told: str) -> None:
    assert TrialRecord(0, FINISHED, architecture={"blocks": blocks}).blocks == told


def test_frame_of_nothing_has_the_columns() -> None:
    assert list(to_frame([]).columns) == list(to_frame([FULL]).columns)
