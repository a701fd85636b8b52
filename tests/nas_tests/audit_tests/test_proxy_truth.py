"""The benchmark that judges a recorded table's short trainings by its long ones."""

from __future__ import annotations

import json

import pytest

from benchmarks.proxy_truth import judge, lengths
from search_spaces.errors import InputError
from tests.nas_tests.audit_tests.test_trust import made_up


def test_a_table_of_short_and_long_trainings() -> None:
    trainings, networks = made_up(40)
    # Ten networks are trained long, and sixteen have a second seed.
    short = (trainings["hash"] >= "net16") & ((trainings["step"] > 90) | (trainings["seed"] > 0))
    trainings = trainings[~short]
    trainings = trainings[(trainings["hash"] < "net10") | (trainings["step"] <= 90)]
    assert lengths(trainings) == (90, 450)
    found, figures = judge(trainings, networks)
    assert len(found.hashes) == figures["networks_trained_long"] == 10
    assert figures["networks_trained"] == 40
    assert set(figures["noise_db_by_step"]) == {"10", "30", "90", "450"}
    assert figures["reached_of_ceiling"]["value"] == found.proxy.of_ceiling.value
    assert {one["setting"] for one in figures["settings"]} <= {"kind = plain", "kind = split"}
    json.dumps(figures, allow_nan=False)


def test_a_table_without_long_trainings() -> None:
    trainings, networks = made_up(8)
    with pytest.raises(InputError, match="no long trainings yet: all end after 450 steps"):
        judge(trainings, networks)
