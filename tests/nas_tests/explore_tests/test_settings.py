"""Settings of a search from what a user gives."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.cli.search import search as command
from nas.explore.keywords import Keywords
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.values import parse_seconds
from nas.noise import Noise, noise_of, write_noise
from nas.run_file import read_run_file
from nas.training.recipe import Recipe, profile
from search_spaces import Space
from search_spaces.errors import InputError
from tests.nas_tests.explore_tests.made_up import recorded

BLOCK = {"kind": "distillation", "stages": 2, "distillation": "none"}


def test_defaults() -> None:
    settings = make_settings()
    assert settings.objectives == ("psnr", "params")
    assert (settings.space.name, settings.scale, settings.profile) == ("distillation", 4, "quick")
    assert (settings.sampler, settings.trials, settings.seed) == ("tpe", 24, 0)
    assert settings.recipe == profile("quick")
    assert settings.run == Path("runs/no-budget")


def test_objectives_are_psnr_against_every_budgeted_figure() -> None:
    assert make_settings(["600K-params", "30G-flops"]).objectives == ("psnr", "params", "macs")


def test_a_lone_budget_is_one() -> None:
    assert make_settings("600K-params") == make_settings(["600K-params"])


def test_what_is_typed_on_the_command_line_is_understood() -> None:
    settings = make_settings(timeout="5m", latency_size="16x9")
    assert (settings.timeout, settings.latency_lr) == (300, (9, 16))
    assert make_settings(latency_size=(9, 16)).latency_lr == (9, 16)


def test_given_objectives() -> None:
    assert make_settings(objectives="PSNR, flops,latency").objectives == ("psnr", "macs", "latency")
    assert make_settings(objectives=["ssim", "psnr"]).objectives == ("ssim", "psnr")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"objectives": "psnr,speed"}, "objectives: unknown 'speed'; expected some of psnr, ssim"),
        ({"objectives": "params,macs"}, "expected psnr among them, got params, macs"),
        ({"objectives": "psnr,macs,flops"}, "expected each one once, got psnr, macs, macs"),
        ({"objectives": ""}, "unknown ''"),
        ({"sampler": "tpee"}, "sampler: expected one of tpe, nsga2, nsga3, gp, random, got 'tpee'"),
        ({"scale": 5}, "scale: expected 1, 2, 3 or 4, got 5"),
        ({"profile": "fast"}, "profile must be one of smoke, quick, standard, full"),
        ({"trials": 0}, "trials: expected at least 1, got 0"),
        ({"timeout": 0.0}, "timeout: expected more than 0, got 0.0"),
        ({"seed": -1}, "seed: expected at least 0, got -1"),
        ({"threads": 0}, "threads: expected 1 to 1024, got 0"),
        ({"threads": 10**9}, "threads: expected 1 to 1024, got 1000000000"),
        ({"rungs": 0}, "rungs: expected 1 to 64, got 0"),
        ({"rungs": 10**30}, "rungs: expected 1 to 64, got 1000"),
        ({"eta": 1e300}, "eta: expected more than 1 and at most 1000, got 1e"),
        ({"candidates": 10**9}, "candidates: expected 1 to 1000, got 1000000000"),
        ({"eta": 1.0}, "eta: expected more than 1 and at most 1000, got 1"),
        ({"eta": float("nan")}, "eta: expected more than 1 and at most 1000, got nan"),
        ({"noise_db": -0.1}, "noise_db: expected at least 0, got -0.1"),
        ({"prefer": "best"}, "prefer: expected better or cheaper, got 'best'"),
        ({"candidates": 0}, "candidates: expected 1 to 1000, got 0"),
        ({"checkpoints_mb": -1.0}, "checkpoints_mb: expected at least 0, got -1"),
        ({"latency_size": (0, 5)}, "latency_size.0: expected at least 1, got 0"),
        ({"latency_size": "0x9"}, "--latency-size: expected WIDTHxHEIGHT such as 320x180"),
        ({"timeout": "soon"}, "timeout 'soon': expected a time such as 90s, 5m or 2h"),
        ({"trials": "3"}, "trials: expected a valid integer, got '3'"),
        ({"budget": 600_000}, "budget: expected a valid array, got 600000"),
        ({"space": 5}, "space: expected an instance of Space, got 5"),
        ({"rugns": 3}, "rugns: unknown key: did you mean 'rungs'?"),
        ({"space": "tiyn"}, "unknown space 'tiyn': did you mean 'tiny'?"),
        ({"space": "nowhere.yaml"}, "nowhere.yaml: cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        make_settings(**settings)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("budgets", "settings", "folder"),
    [
        (["600K-params"], {}, "runs/600K-params"),
        (["600K-params", "25ms-latency"], {}, "runs/600K-params-25ms-latency"),
        ([".5M-params"], {"scale": 2}, "runs/.5M-params-x2"),
        ([], {"space": "tiny", "profile": "smoke"}, "runs/no-budget-tiny-smoke"),
        (["600K-params"], {"run": "mine"}, "mine"),
    ],
)
def test_run_folder(budgets: list[str], settings: dict[str, Any], folder: str) -> None:
    assert make_settings(budgets, **settings).run == Path(folder)


def test_folder_of_a_space_with_a_strange_name_stays_inside_runs() -> None:
    data = {
        "name": "../my space/x",
        "dimensions": {"channels": {"fill": {"low": 4, "high": 8}}},
        "architecture": {
            "channels": "$channels",
            "blocks": [BLOCK],
        },
    }
    folder = make_settings(space=Space.from_dict(data)).run
    assert folder.parent == Path("runs")
    assert "/" not in folder.name


@pytest.mark.parametrize(
    ("name", "trials"), [("smoke", 4), ("quick", 24), ("standard", 80), ("full", 260)]
)
def test_each_profile_has_its_number_of_trials(name: str, trials: int) -> None:
    assert make_settings(profile=name).trials == trials
    assert make_settings(profile=name, trials=7).trials == 7


def test_early_stopping() -> None:
    assert make_settings().rung_steps == (160, 320)
    assert make_settings(rungs=3).rung_steps == (80, 160, 320)
    assert make_settings(rungs=3, eta=3).rung_steps == (36, 107, 320)
    assert make_settings(rungs=3, early_stop=False).rung_steps == (320,)
    assert make_settings(rungs=1).rung_steps == (320,)


def test_figures_that_decide_who_goes_on_are_measured_first() -> None:
    assert make_settings(["600K-params"], rungs=3).measures_late
    assert not make_settings(["600K-params"], rungs=1).measures_late
    assert not make_settings(["25ms-latency"], rungs=3).measures_late
    assert not make_settings(objectives="psnr,memory", rungs=3).measures_late


def test_noise_is_the_profiles_the_audits_or_as_given(tmp_path: Path) -> None:
    assert make_settings(profile="standard").noise == noise_of("standard", 0)
    assert make_settings(recipe=Recipe(steps=400)).noise == noise_of("custom", 400)
    assert make_settings(noise_db=0.5).noise.psnr_db == 0.5
    assert make_settings(noise_db=0.5).noise.ssim == noise_of("quick", 0).ssim
    own = Noise(0.011, 0.0002, 0.01, "this run's audit")
    write_noise(tmp_path, own)
    assert make_settings(run=tmp_path).noise == own
    assert make_settings(run=tmp_path, noise_db=0.0).noise.psnr_db == 0.0


def test_the_preference_of_a_run_stays(tmp_path: Path) -> None:
    assert make_settings(run=tmp_path).prefer == "better"
    recorded(tmp_path, 1).preferring("cheaper", keep=True)
    assert make_settings(run=tmp_path).prefer == "cheaper"
    assert make_settings(run=tmp_path, prefer="better").prefer == "better"
    (tmp_path / "run.yaml").write_text("prefer: dearer\n")
    assert make_settings(run=tmp_path).prefer == "better"


def test_threads_are_those_of_the_process_unless_a_run_or_a_user_says_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.explore.settings.usual_threads", lambda: 5)
    assert make_settings(run=tmp_path).threads == 5
    assert make_settings(run=tmp_path, threads=2).threads == 2
    recorded(tmp_path, 1, threads=3)
    # Latency has no say in that run.
    assert make_settings(run=tmp_path).threads == 5
    recorded(tmp_path / "latency", 1, threads=3, objectives="psnr,latency")
    assert read_run_file(tmp_path / "latency")["identity"]["latency_threads"] == 3
    assert make_settings(run=tmp_path / "latency").threads == 3
    assert make_settings(run=tmp_path / "latency", threads=4).threads == 4


def test_a_recipe_of_ones_own_is_custom() -> None:
    settings = make_settings(recipe=Recipe(steps=50))
    assert (settings.profile, settings.recipe.steps) == ("custom", 50)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), (" .5h ", 1800)],
)
def test_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5s", "5d", "m", "1h30m", "inf"])
def test_no_seconds(text: str) -> None:
    with pytest.raises(InputError, match="expected a time such as 90s, 5m or 2h"):
        parse_seconds(text)


PYTHON_ONLY = {"recipe", "noise_db", "checkpoints_mb"}
"""Settings without an option."""

DERIVED = {"noise"}
"""Fields that follow from others, and are only kept for workers elsewhere."""


class TestOneListOfSettings:
    fields = SearchSettings.model_fields.keys() - DERIVED
    options = inspect.signature(command).parameters

    def test_every_setting_is_a_keyword_and_every_keyword_a_setting(self) -> None:
        assert {"budget", *Keywords.__annotations__} == self.fields

    def test_every_setting_is_an_option(self) -> None:
        assert self.fields - PYTHON_ONLY <= self.options.keys()
        assert not PYTHON_ONLY & self.options.keys()

    def test_defaults_are_the_same(self) -> None:
        given = {k: self.options[k].default for k in self.fields - PYTHON_ONLY}
        assert sum(value is not None for value in given.values()) > 5
        for name, value in given.items():
            assert value is None or make_settings(**{name: value}) == make_settings(), name

    @pytest.mark.parametrize("function", [nas.search, nas.make_settings])
    def test_help_shows_them(self, function: Callable[..., object]) -> None:
        shown = inspect.signature(function).parameters
        assert shown.keys() - {"observer"} == self.fields
        assert shown["eta"].default == make_settings().eta
        told = inspect.getdoc(function) or ""
        assert [name for name in self.fields if not re.search(rf"^ +{name}: ", told, re.M)] == []
        assert not [name for name in DERIVED if re.search(rf"^ +{name}: ", told, re.M)]
        assert told.index("Raises:") < told.index("Settings:") < told.index("Example:\n    >>> ")
        assert function.__name__ + '("600K-params"' in told


def test_identity_differs_with_what_makes_trials_incomparable() -> None:
    plain = make_settings(["600K-params"], space="tiny").identity("embedded", "0" * 16)
    for changed in (
        make_settings(["500K-params"], space="tiny"),
        make_settings(["600K-params"]),
        make_settings(["600K-params"], space="tiny", scale=2),
        make_settings(["600K-params"], space="tiny", profile="smoke"),
        make_settings(["600K-params"], space="tiny", objectives="psnr,macs"),
        make_settings(["600K-params"], space="tiny", latency_size=(32, 32)),
        make_settings(["600K-params"], space="tiny", objectives="psnr,latency", threads=1),
        make_settings(["600K-params"], space="tiny", objectives="psnr,latency", threads=2),
        make_settings(["600K-params"], space="tiny", rungs=4),
        make_settings(["600K-params"], space="tiny", rungs=4, eta=2),
    ):
        assert changed.identity("embedded", "0" * 16) != plain
    same = make_settings(["600K-params"], space="tiny", trials=5, seed=9, threads=7)
    assert same.identity("embedded", "0" * 16) == plain
    one, two = (
        make_settings(["25ms-latency"], threads=threads).identity("embedded", "0" * 16)
        for threads in (1, 2)
    )
    assert {key for key in one if one[key] != two[key]} == {"latency_threads"}
