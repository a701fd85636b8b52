from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.training.recipe import PROFILES, Recipe, profile
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
        ({"steps": 0}, "recipe: steps: expected 1 to 1000000000, got 0"),
        ({"stepz": 3}, "stepz: unknown key: did you mean 'steps'"),
        ({"averaged_share": 1.1}, "averaged_share"),
        ({"filter_rate": 0.05}, "filter_rate belongs to optimizer muon, got adam"),
        ({"filter_decay": 0.01}, "filter_decay belongs to optimizer muon, got adam"),
        ({"decay_share": 0.5}, "decay_share belongs to schedule linear, got schedule constant"),
        ({"end_rate": 1e-5}, "end_rate belongs to schedule cosine or linear"),
        ({"precision": "fp16"}, "precision"),
        ({"loss": "huber"}, "loss: expected one of l1, l2, .*, or weights of several, .*'huber'"),
        ({"loss": 3}, "loss: expected one of l1, .* got 3"),
        ({"loss": {}}, "loss: expected one of l1, .* got {}"),
        ({"loss": {"l1": 1, "huber": 1}}, "loss: expected one of l1, .*, or weights of several"),
        ({"loss": {"l1": 0}}, "loss: expected a weight above 0 of l1, got 0"),
        ({"loss": {"l1": 1, "fft": float("nan")}}, "expected a weight above 0 of fft, got nan"),
        ({"loss": {"l1": True}}, "expected a weight above 0 of l1, got True"),
        ({"loss": {"l1": "1"}}, "expected a weight above 0 of l1, got '1'"),
        ({"steps": 5, "warmup_steps": 6}, "warmup_steps must be at most steps, got 6 > 5"),
    ],
)
def test_values_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe().replace(**change)


def test_a_loss_is_a_name_or_weights() -> None:
    assert Recipe().losses == {"l1": 1}
    several = Recipe().replace(loss={"l1": 1, "fft": 0.05})
    assert several.losses == {"l1": 1, "fft": 0.05}
    assert Recipe.model_validate(several.model_dump(mode="json")) == several


@settings(deadline=None)
@given(
    steps=st.integers(1, 500),
    rate=st.floats(1e-6, 1e-1),
    share=st.floats(0, 1),
    warmup=st.floats(0, 1),
)
def test_cosine_falls_from_the_rate_to_the_end_rate(
    steps: int, rate: float, share: float, warmup: float
) -> None:
    end, rising = rate * share, round(warmup * steps)
    recipe = Recipe(
        steps=steps, learning_rate=rate, schedule="cosine", end_rate=end, warmup_steps=rising
    )
    rates = [recipe.rate(step) for step in range(steps)]
    assert all(0 <= one <= rate * (1 + 1e-9) for one in rates)
    falling = rates[rising:]
    assert falling == sorted(falling, reverse=True)
    if steps > 1 and rising < steps:
        assert rates[-1] == pytest.approx(end, abs=rate * 1e-9)
    if rising == 0:
        assert rates[0] == pytest.approx(rate)


@settings(deadline=None)
@given(
    steps=st.integers(1, 500),
    milestones=st.lists(st.integers(0, 600), max_size=6).map(sorted),
    gamma=st.floats(0.1, 1),
)
def test_steps_are_powers_of_gamma(steps: int, milestones: list[int], gamma: float) -> None:
    recipe = Recipe(
        steps=steps, schedule="step", milestones=milestones, gamma=gamma, warmup_steps=0
    )
    for step in range(steps):
        passed = len([m for m in milestones if m <= step])
        assert recipe.rate(step) == pytest.approx(recipe.learning_rate * gamma**passed)


@settings(deadline=None)
@given(
    steps=st.integers(2, 500),
    share=st.floats(0.01, 1),
    end=st.floats(0, 1),
    rate=st.floats(1e-6, 1e-1),
)
def test_linear_is_constant_and_then_falls_in_a_straight_line(
    steps: int, share: float, end: float, rate: float
) -> None:
    recipe = Recipe(
        steps=steps, learning_rate=rate, schedule="linear", end_rate=end * rate,
        decay_share=share, warmup_steps=0,
    )  # fmt: skip
    rates = [recipe.rate(step) / rate for step in range(steps)]
    assert rates[0] == pytest.approx(1)
    assert rates[-1] == pytest.approx(end, abs=1e-9)
    assert all(
        one == pytest.approx(1)
        for step, one in enumerate(rates)
        if step < (1 - share) * (steps - 1)
    )
    falls = [a - b for a, b in pairwise(rates) if a < 1 - 1e-9]
    assert falls == pytest.approx([(1 - end) / (share * (steps - 1))] * len(falls), abs=1e-9)


def test_slowed_scales_every_step_size() -> None:
    recipe = Recipe(optimizer="muon", filter_rate=0.2, schedule="cosine", end_rate=1e-4)
    half = recipe.slowed(0.5)
    assert (half.learning_rate, half.filter_rate, half.end_rate) == pytest.approx((5e-4, 0.1, 5e-5))
    assert half.pace(100) == pytest.approx(recipe.pace(100))
    assert Recipe().slowed(0.5) == Recipe(learning_rate=5e-4)
