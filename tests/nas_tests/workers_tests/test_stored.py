"""The settings that a study carries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nas.explore.settings import SearchSettings, make_settings
from nas.explore.stored import settings_from_text, settings_to_text
from nas.training.recipe import Recipe
from search_spaces import Space
from search_spaces.errors import InputError


def again(settings: SearchSettings) -> SearchSettings:
    fields = SearchSettings.model_fields.items()
    local = {name: getattr(settings, name) for name, field in fields if field.exclude}
    return settings_from_text(settings_to_text(settings), "study", **local)


@pytest.mark.parametrize("space", Space.names())
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"budget": ["600K-params", "25ms-latency"], "scale": 2, "profile": "full"},
        {"recipe": Recipe(steps=7, warmup_steps=2), "objectives": "psnr,macs", "sampler": "gp"},
        {"checkpoints": "memory://there", "trials": 3, "seed": 4, "latency_size": (8, 16)},
        # A worker measures with the search's number, whatever its own process has.
        {"budget": ["25ms-latency"], "threads": 3},
        {"degradation": "real_esrgan"},
    ],
)
def test_come_back_as_they_were(space: str, options: dict[str, Any], tmp_path: Path) -> None:
    settings = make_settings(
        space=space, storage="memory", run=tmp_path, timeout=3.0, data=tmp_path, **options
    )
    found = again(settings)
    assert found == settings
    assert found.space.hash == settings.space.hash


def test_hold_nothing_of_one_machine(tmp_path: Path) -> None:
    url = "postgresql://me:secret@host/db"
    text = settings_to_text(make_settings(storage=url, run=tmp_path / "there", data=tmp_path))
    assert "secret" not in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize("name", ["trials", "noise", "latency_model"])
def test_a_text_that_lacks_a_setting(name: str) -> None:
    plain = yaml.safe_load(settings_to_text(make_settings(space="tiny")))
    del plain[name]
    with pytest.raises(InputError, match=f"missing or unknown setting '{name}'"):
        settings_from_text(yaml.safe_dump(plain), "study")


def test_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings()
    monkeypatch.setattr("nas.explore.stored.our_version", lambda: "99.1")
    text = settings_to_text(settings)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"was made by nas-sr 99\.1, this is .*; install"):
        settings_from_text(text, "study")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &a {x: 1}\nb: {<<: *a}", "study 'study': nas_settings:2: merge keys"),
        ("- 1", "study 'study': nas_settings: expected a YAML mapping, got list"),
        ("a: !!bool x", "study 'study': nas_settings:1: not a value of the kind bool"),
    ],
)
def test_a_text_of_something_else(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        settings_from_text(text, "study")


def test_with_parts_that_are_not_here() -> None:
    settings = make_settings(space="tiny")
    text = settings_to_text(settings).replace("kind: distillation", "kind: mine")
    assert "mine" in text
    with pytest.raises(InputError, match=r"cannot be built here: .*'mine'.*--import"):
        settings_from_text(text, "study")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("trials", "many", "trials: expected a valid integer, got 'many'"),
        ("trials", 0, "trials: expected at least 1, got 0"),
        ("eta", float("nan"), "eta: expected a finite number, got nan"),
        ("latency_size", [720], "latency_size.1"),
        ("budget", {"params": 3}, "budget: expected a valid array"),
        ("noise", 3, "noise: expected a dictionary or an instance of Noise, got 3"),
        ("recipe", {"steps": "long"}, "steps: "),
        ("recipe", 5, "recipe: expected a valid dictionary or instance of Recipe, got 5"),
        ("space", [], "space: expected an object"),
        ("space", "tiny", "space: expected an object"),
        ("sampler", "mine", "sampler: expected one of tpe"),
        ("objectives", ["beauty"], "objectives: unknown 'beauty'; expected some of psnr"),
        ("run", "elsewhere", "missing or unknown setting 'run'"),
        ("degradation", "jpeg", "degradation: expected an object"),
        ("degradation", {"name": "a", "steps": []}, "degradation: steps: "),
        ("latency_model", "fast", "latency_model: expected an object"),
    ],
)
def test_values_of_another_type_are_one_line(key: str, value: object, told: str) -> None:
    plain = yaml.safe_load(settings_to_text(make_settings(space="tiny")))
    with pytest.raises(InputError, match=told) as caught:
        settings_from_text(yaml.safe_dump({**plain, key: value}, sort_keys=False), "study")
    assert str(caught.value).startswith("study 'study'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[", "5", "format: 2\n", "", "a: &a [*a]"])
def test_no_settings_at_all_are_one_line(text: str) -> None:
    with pytest.raises(InputError, match="study 'study'"):
        settings_from_text(text, "study")
