"""Spaces: what they hold, how a budget is filled, and what is said about bad ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Architecture, InputError, Space, build, preset, price
from search_spaces.cost import layers

Fits = Callable[[Architecture], bool]
RandomPoint = Callable[..., dict[str, Any]]
TINY, DISTILLATION = Space.load("tiny"), Space.load("distillation")


def within(params: int) -> Fits:
    return lambda arch: price(arch).params <= params


def labels_of(space: Space, point: dict[str, Any]) -> dict[str, Any]:
    filling = {d.name for d in space.filling}
    return {name: value for name, value in point.items() if name not in filling}


class TestNamedSpaces:
    def test_names(self) -> None:
        assert {"distillation", "tiny"} <= set(Space.names())

    @pytest.mark.parametrize("name", Space.names())
    def test_load(self, name: str) -> None:
        space = Space.load(name)
        assert space.name == name
        assert space.about
        assert Space.load(name).hash == space.hash

    def test_a_point_means_something_else_in_another_space(self) -> None:
        assert len({Space.load(name).hash for name in Space.names()}) == len(Space.names())

    def test_on_luma(self) -> None:
        space, luma = Space.load("tiny"), Space.load("tiny-luma")
        point = space.least(space.completed({}))
        own = {**space.architecture(point).to_dict(), "colors": 1}
        assert luma.architecture(point) == Architecture.from_dict(own)
        assert (luma.name, luma.luma, space.luma) == ("tiny-luma", True, False)
        assert luma.hash != space.hash
        assert Space.from_dict(luma.to_dict()).hash == luma.hash

    def test_unknown_name(self) -> None:
        with pytest.raises(InputError, match="unknown space 'tinny': did you mean 'tiny'"):
            Space.load("tinny")


class TestSize:
    def test_tiny_by_brute_force(self) -> None:
        choosing = [d for d in TINY.dimensions if d.choices]
        active = set()
        for labels in product(*(d.labels for d in choosing)):
            point = dict(zip((d.name for d in choosing), labels, strict=True))
            if point["family"] == "none":
                del point["distill_rate"]
            active.add(tuple(sorted(point.items())))
        assert {tuple(sorted(c.items())) for c in TINY.combinations()} == active
        assert len(list(TINY.combinations())) == len(active)
        assert TINY.size == len(active) * 3 * 5

    def test_conditions_on_conditions(self) -> None:
        plain: dict[str, Any] = {
            "name": "nested",
            "dimensions": {
                "n": {"fill": {"low": 2, "high": 9, "step": 3}},
                "stem": {"choices": {"conv": {}, "pyramid": {"stem": "pyramid", "use": ["$more"]}}},
                "more": {
                    "choices": {"plain": {}, "other": {"fusion": "$fusion"}},
                    "when": {"stem": "pyramid"},
                },
                "fusion": {"choices": ["chain", "none", "concat"], "when": {"more": "other"}},
                "free": {"choices": ["relu", "gelu"]},
            },
            "architecture": {
                "channels": "$n",
                "activation": "$free",
                "blocks": ["spab"],
                "use": ["$stem"],
            },
        }
        space = Space.from_dict(plain)
        # conv; pyramid and nothing else; pyramid and each of three fusions
        assert space.size == (1 + 1 + 3) * 2 * 3
        assert len(list(space.combinations())) == (1 + 1 + 3) * 2

    def test_distillation_is_what_its_combinations_say(self) -> None:
        grids = len(DISTILLATION.filling[0].grid) * len(DISTILLATION.filling[1].grid)
        assert DISTILLATION.size % grids == 0
        assert sum(1 for _ in DISTILLATION.combinations()) == DISTILLATION.size // grids


class TestPoints:
    def test_all_of_tiny_are_networks(self) -> None:
        made = set()
        for labels in TINY.combinations():
            for blocks, channels in product(*(d.grid for d in TINY.filling)):
                made.add(TINY.architecture({**labels, "blocks": blocks, "channels": channels}))
        assert len(made) == TINY.size

    def test_thousands_of_distillation_are_networks(self, random_point: RandomPoint) -> None:
        rng = random.Random(2)
        made = [DISTILLATION.architecture(random_point(DISTILLATION, rng)) for _ in range(2500)]
        assert len({arch.hash for arch in made}) > 2450
        assert all(arch.image_skip.kind == "linear" for arch in made)

    def test_extremes_of_every_combination_of_tiny_build(self) -> None:
        for labels in TINY.combinations():
            arch = TINY.architecture({**labels, "blocks": 1, "channels": 8}, 2)
            params = sum(p.numel() for p in build(arch).parameters())
            assert params == price(arch).params

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"family": "fcd"}, "family: expected one of .*, got 'fcd'"),
            ({"family": None}, "family: expected one of"),
            ({"family": ["fdc"]}, "family: expected one of"),
            ({"channels": 9}, "channels: expected one of 8..24, got 9"),
            ({"channels": True}, "channels: expected one of"),
            ({"blocks": 4}, "blocks: expected one of 1..3, got 4"),
        ],
    )
    def test_a_value_outside(self, change: dict[str, Any], message: str) -> None:
        point: dict[str, Any] = {"family": "none", "attention": "none", "blocks": 1}
        point["channels"] = 8
        with pytest.raises(InputError, match=message):
            TINY.architecture({**point, **change})

    def test_a_missing_value(self) -> None:
        with pytest.raises(InputError, match="expected a value for dimension 'channels'"):
            TINY.architecture({"family": "none", "attention": "none", "blocks": 1})


class TestPrices:
    def test_rise_with_channels_and_blocks(self, random_point: RandomPoint) -> None:
        """What filling a budget by bisection rests on."""
        rng = random.Random(3)
        for _ in range(40):
            point, scale = random_point(DISTILLATION, rng), rng.choice([2, 3, 4])
            for d in DISTILLATION.filling:
                archs = [
                    DISTILLATION.architecture({**point, d.name: v}, scale) for v in d.grid[::2]
                ]
                for low, high in pairwise(price(arch, lr=(40, 40)) for arch in archs):
                    assert low.params <= high.params
                    assert low.macs <= high.macs
                    assert low.activations <= high.activations


@st.composite
def choices(draw: st.DrawFn) -> dict[str, Any]:
    return dict(DISTILLATION.choose(lambda d: draw(st.sampled_from(d.labels))))


def test_what_a_seed_draws_is_pinned() -> None:
    # Recorded tables of networks are drawn again by their seeds.
    drawn = DISTILLATION.sample(np.random.default_rng(0))
    assert drawn["family"] == "none"
    assert (drawn["stages"], drawn["attention"], drawn["attention_rate"]) == (3, "cca", 0.0625)
    assert (drawn["fusion"], drawn["stem"]) == ("concat", "pyramid")
    assert list(drawn) == [d.name for d in DISTILLATION.active(drawn) if d.choices]


SHARES = st.floats(0, 1)
BUDGETS = st.sampled_from([3_000, 8_000, 20_000, 60_000, 150_000, 600_000, 10**8])


@settings(max_examples=60, deadline=None)
@given(labels=choices(), budget=BUDGETS, first=SHARES, second=SHARES)
def test_filling_never_exceeds_and_inverts(
    labels: dict[str, Any], budget: int, first: float, second: float
) -> None:
    fits = within(budget)
    point = DISTILLATION.fill(labels, {"blocks": first, "channels": second}, 4, fits)
    least = DISTILLATION.architecture({**labels, "blocks": 2, "channels": 8})
    if point is None:
        assert not fits(least)
        return
    assert fits(least)
    assert labels_of(DISTILLATION, dict(point)) == labels
    assert fits(DISTILLATION.architecture(point))
    shares = DISTILLATION.fractions(point, 4, fits)
    assert shares is not None
    assert all(0 <= share < 1 for share in shares.values())
    assert DISTILLATION.fill(labels, shares, 4, fits) == point


@settings(max_examples=40, deadline=None)
@given(labels=choices(), budget=BUDGETS, first=SHARES)
def test_a_whole_share_leaves_no_room(labels: dict[str, Any], budget: int, first: float) -> None:
    fits = within(budget)
    blocks, channels = DISTILLATION.filling
    deepest = DISTILLATION.fill(labels, {"blocks": 1.0, "channels": 0.0}, 4, fits)
    widest = DISTILLATION.fill(labels, {"blocks": first, "channels": 1.0}, 4, fits)
    if deepest is None or widest is None:
        assert deepest is widest
        return
    assert deepest["channels"] == channels.grid[0]
    assert no_room(deepest, blocks.name, fits)
    assert no_room(widest, channels.name, fits)


def no_room(point: Any, name: str, fits: Fits) -> bool:
    grid = next(d.grid for d in DISTILLATION.filling if d.name == name)
    if point[name] == grid[-1]:
        return True
    one_more = grid[grid.index(point[name]) + 1]
    return not fits(DISTILLATION.architecture({**point, name: one_more}))


@settings(max_examples=30, deadline=None)
@given(labels=choices(), budget=BUDGETS, shares=st.lists(SHARES, min_size=3, max_size=5))
def test_filling_rises_with_the_share(
    labels: dict[str, Any], budget: int, shares: list[float]
) -> None:
    for name, other in (("blocks", "channels"), ("channels", "blocks")):
        filled = [
            DISTILLATION.fill(labels, {name: share, other: 0.0}, 4, within(budget))
            for share in sorted(shares)
        ]
        values = [point[name] for point in filled if point is not None]
        assert values == sorted(values, key=int)


def test_fractions_of_a_point_over_the_budget() -> None:
    point = DISTILLATION.starting_points["imdn"]
    assert DISTILLATION.fractions(point, 4, within(100_000)) is None
    assert DISTILLATION.fractions(point, 4, within(800_000)) is not None


class TestStartingPoints:
    @pytest.mark.parametrize("name", ["rfdn", "rfdn_l", "e_rfdn", "imdn"])
    @pytest.mark.parametrize("scale", [2, 3, 4])
    def test_are_the_presets(self, name: str, scale: int) -> None:
        """Equal in all but how the image goes in and out."""
        point = DISTILLATION.starting_points[name]
        expected = preset(name, scale).to_dict() | {"image_skip": "linear"}
        expected.pop("value_range", None)
        made = DISTILLATION.architecture(point, scale)
        assert made == Architecture.from_dict(expected)
        skip = [layer for layer in layers(made) if layer.name.startswith("image_skip.")]
        own, whole = price(preset(name, scale)), price(made)
        assert whole.params - own.params == sum(layer.params for layer in skip) == 75 * scale**2
        assert whole.macs - own.macs == sum(layer.macs for layer in skip)
        assert whole.activations - own.activations == sum(layer.activations for layer in skip)

    @pytest.mark.parametrize("name", ["rlfn", "mrdn"])
    def test_are_near_the_presets(self, name: str) -> None:
        made = DISTILLATION.architecture(DISTILLATION.starting_points[name])
        assert price(made).params == pytest.approx(price(preset(name)).params, rel=0.05)
