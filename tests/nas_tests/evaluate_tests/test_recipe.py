from __future__ import annotations

import pytest

from nas.evaluate import PROFILES, Recipe, profile
from search_spaces.errors import InputError


def test_profiles_grow() -> None:
    work = [(r.steps * r.batch * r.lr_size**2) for r in map(profile, PROFILES)]
    assert work == sorted(work)
    assert len(set(work)) == len(PROFILES)


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="smoke, quick, standard, full, got 'fast'"):
        profile("fast")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps: .*greater than or equal to 1"),
        ({"stepz": 3}, "stepz"),
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"precision": "fp16"}, "precision"),
        ({"steps": 5, "warmup_steps": 6}, "warmup_steps must be at most steps, got 6 > 5"),
    ],
)
def test_values_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe().replace(**change)
