from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.shipped.catalog import shipped_weights
from nas.training.recipe import PROFILES, Recipe
from nas.training.schedule import FullRecipe, full_recipe_names, load_full_recipe
from search_spaces import Architecture, build, save_weights
from search_spaces.errors import InputError


@pytest.mark.parametrize("name", full_recipe_names())
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_papers_recipes_load_and_name_their_source(name: str, scale: int) -> None:
    recipe = load_full_recipe(name, scale)
    assert recipe.name == name
    assert len(recipe.source) > 20
    assert len(recipe.about) > 20
    assert all(phase.schedule != "constant" for phase in recipe.phases[:1])


def test_the_papers_values() -> None:
    assert full_recipe_names() == ["best", "e_rfdn", "fast", "imdn", "ntire", "rfdn"]
    imdn = load_full_recipe("imdn", 4)
    assert (imdn.steps, imdn.phases[0].batch, imdn.phases[0].lr_size) == (10**6, 16, 48)
    assert [imdn.phases[0].rate(s) for s in (0, 199_999, 200_000, 999_999)] == [
        2e-4, 2e-4, 1e-4, 2e-4 / 16
    ]  # fmt: skip
    winner = load_full_recipe("e_rfdn", 4)
    assert [(p.loss, p.learning_rate, p.batch, p.lr_size) for p in winner.phases] == [
        ("l1", 5e-4, 64, 64), ("l2", 1e-5, 64, 64)
    ]  # fmt: skip
    assert load_full_recipe("e_rfdn", 2).lr_size == 128


@pytest.mark.parametrize("name", PROFILES)
def test_the_searchs_profiles_are_recipes_too(name: str) -> None:
    assert len(load_full_recipe(name, 4).phases) == 1


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
    steps=st.integers(1, 10**6),
)
def test_stretched_has_the_steps_asked_for_in_every_phase(lengths: list[int], steps: int) -> None:
    phases = tuple(Recipe(steps=n, warmup_steps=min(n, 40)) for n in lengths)
    recipe = FullRecipe(name="any", source="a test", phases=phases)
    if steps < len(lengths):
        with pytest.raises(InputError, match="at least"):
            recipe.stretched(steps)
        return
    stretched = recipe.stretched(steps)
    assert stretched.steps == steps
    for number, phase in enumerate(stretched.phases):
        # Off by what rounding and the one step that a phase has at least can cost.
        ideal = lengths[number] * steps / sum(lengths)
        assert abs(phase.steps - ideal) <= len(lengths) + 1


def test_a_stretched_recipe_keeps_its_shape() -> None:
    long = load_full_recipe("e_rfdn", 4)
    short = long.stretched(1100)
    assert [phase.steps for phase in short.phases] == [1000, 100]
    assert short.phases[0].milestones == (200, 400, 600, 800)
    for share in (0.0, 0.1, 0.35, 0.7, 0.95):
        assert short.phases[0].rate(int(share * 1000)) == long.phases[0].rate(int(share * 10**6))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source: x\n", "phases: expected a list"),
        ("phases: []\n", ":1: phases: expected a list"),
        ("phases:\n  - {steps: 3, warmup_steps: 0}\n  - {stepz: 3}\n", ":3: phases.1: stepz"),
        ("phases:\n  - {hr_size: 3}\n", ":2: hr_size: expected a whole number of at least 4"),
        ("phases:\n  - {hr_size: 96, lr_size: 24}\n", "and no lr_size beside"),
        ("colour: 3\nphases:\n  - {steps: 50}\n", ":1: colour: unknown key"),
        ("teacher: 3\nphases:\n  - {steps: 50}\n", ":1: teacher: expected a file or a network"),
        ('teacher: ""\nphases:\n  - {steps: 50}\n', ":1: teacher: expected a file or a network"),
        ('teacher: "a\\0b"\nphases:\n  - {steps: 50}\n', ":1: teacher: expected a file or a "),
        (
            "phases:\n  - {steps: 50}\nteacher: gone.safetensors\n",
            ":3: teacher: .*gone.safetensors: no such file; expected .* its path from the recipe",
        ),
        ("teacher: x2-9k\nphases:\n  - {steps: 50}\n", "teacher: no network 'x2-9k' ships"),
        ("teacher: x2-10k\nphases:\n  - {steps: 50}\n", "is of scale 2; expected a teacher"),
        ("source: [1]\nphases:\n  - {steps: 50}\n", ":1: source: expected a text"),
        ("phases:\n  - {steps: 50, gamma: 0.3}\n", "gamma belongs to schedule step"),
        ("phases:\n  - {steps: 50, schedule: step, milestones: [9, 3]}\n", "milestones must rise"),
        ("phases:\n  - {steps: 50, schedule: cosine, end_rate: 1}\n", "end_rate must be at most"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_full_recipe(str(path), 4)


def test_a_teacher_is_named_from_the_recipes_folder_or_ships(
    architecture: Architecture, tmp_path: Path
) -> None:
    path, phases = tmp_path / "recipes" / "mine.yaml", "phases:\n  - {steps: 50}\n"
    for name in ("mine.safetensors", "recipes/exported/weights.safetensors", "recipes/x2-10k"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        save_weights(build(architecture), tmp_path / name)

    def named(teacher: str) -> Path | None:
        path.write_text(f"teacher: {teacher}\n{phases}")
        return load_full_recipe(str(path), 2).changed(batch=2).stretched(10).teacher

    assert named("../mine.safetensors") == tmp_path / "recipes" / "../mine.safetensors"
    assert named(str(tmp_path / "mine.safetensors")) == tmp_path / "mine.safetensors"
    assert named("exported") == tmp_path / "recipes/exported/weights.safetensors"
    # What is there is meant before what ships.
    assert named("x2-10k") == tmp_path / "recipes" / "x2-10k"
    (tmp_path / "recipes" / "x2-10k").unlink()
    assert named("x2-10k") == shipped_weights("x2-10k")
    path.write_text(phases)
    assert load_full_recipe(str(path), 2).teacher is None


def test_an_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="of best, e_rfdn, fast, imdn, ntire, rfdn, smoke, "):
        load_full_recipe("edsr", 4)
