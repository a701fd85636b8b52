"""The settings of a search as a text that its study carries, for workers that know only its name.

What belongs to one start or one machine alone stays out: where the photos and the run folder
lie, the store's URL, the device, the time limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from annotated_types import Ge, Gt, Le

from nas.budget import Budget, parse_budgets
from nas.explore.limits import MOST_CANDIDATES, MOST_ETA, MOST_RUNGS
from nas.explore.sampler import SAMPLERS
from nas.explore.settings import SearchSettings
from nas.latency.model import LatencyModel
from nas.noise import Noise
from nas.objectives import OBJECTIVES
from nas.plain import from_plain
from nas.training.recipe import Recipe, validated
from search_spaces import Space
from search_spaces.errors import InputError
from search_spaces.yaml_file import parse_yaml

__all__ = ["LOCAL", "SETTINGS", "our_version", "settings_from_text", "settings_to_text"]

SETTINGS = "nas_settings"
"""The study's attribute that holds the text."""

LOCAL = ("data", "device", "run", "storage", "study", "timeout_s", "validation", "warm_start")
"""The settings that are left out."""

_FORMAT = 2

_Count: TypeAlias = Annotated[int, Ge(1)]


def our_version() -> str:
    """The version of the installed package."""
    try:
        return version("nas-sr")
    except PackageNotFoundError:
        return "unknown"


def settings_to_text(settings: SearchSettings) -> str:
    """The settings as YAML, but for those in ``LOCAL``."""
    kept = [field.name for field in fields(settings) if field.name not in LOCAL]
    plain = {name: _plain(getattr(settings, name)) for name in kept}
    whole = {"format": _FORMAT, "version": our_version(), **plain}
    return yaml.safe_dump(whole, sort_keys=False, width=96)


def settings_from_text(text: str, name: str, /, **local: Any) -> SearchSettings:
    """The settings again.

    Args:
        text: from ``settings_to_text``.
        name: the study's, for messages.
        **local: a value for each setting in ``LOCAL``.

    Raises:
        InputError: another version made the text, or the space has parts that are not known.
    """
    where = f"study {name!r}: {SETTINGS}"
    plain = parse_yaml(from_plain(str, text, where), where)
    if plain.get("format") != _FORMAT or plain.get("version") != our_version():
        made_by = plain.get("version", "unknown")
        raise InputError(
            f"study {name!r} was made by nas-sr {made_by}, this is {our_version()}; install "
            f"nas-sr {made_by} here, or start the search anew with this one"
        )
    stored = from_plain(_Stored, plain, where)
    if stored.sampler not in SAMPLERS or not set(stored.objectives) <= set(OBJECTIVES):
        raise InputError(f"{where}: expected samplers and objectives that are known here")
    try:
        space = Space.from_dict(stored.space)
    except InputError as error:
        raise InputError(
            f"study {name!r}: its space cannot be built here: {error}; give the files of its "
            f"own parts with --import"
        ) from None
    model = stored.latency_model
    made = {
        "space": space,
        "recipe": validated(dict(stored.recipe), where),
        "latency_model": None if model is None else LatencyModel.from_dict(model, where),
        "budgets": parse_budgets(stored.budgets),
    }
    kept = {field.name: getattr(stored, field.name) for field in fields(_Stored)}
    return SearchSettings(**{**kept, **made}, **local)


@dataclass(frozen=True)
class _Stored:
    """The text's mapping: the settings that are not in ``LOCAL``, as plain data."""

    space: Mapping[str, Any]
    recipe: Mapping[str, Any]
    latency_model: Mapping[str, Any] | None
    budgets: tuple[str, ...]
    noise: Noise
    objectives: tuple[str, ...]
    scale: Literal[2, 3, 4]
    profile: str
    sampler: str
    trials: Annotated[int, Ge(1)]
    seed: Annotated[int, Ge(0)]
    hr: tuple[_Count, _Count]
    latency_lr: tuple[_Count, _Count]
    checkpoints: str | None
    rungs: Annotated[int, Ge(1), Le(MOST_RUNGS)]
    eta: Annotated[float, Gt(1), Le(MOST_ETA)]
    checkpoints_mb: Annotated[float, Ge(0)]
    candidates: Annotated[int, Ge(1), Le(MOST_CANDIDATES)]
    prefer: str


def _plain(value: Any) -> Any:
    if isinstance(value, Space):
        # Twice, so that tuples and the like become what a file would hold.
        return yaml.safe_load(yaml.safe_dump(_lists(value.to_dict()), sort_keys=False))
    if isinstance(value, LatencyModel):
        return value.to_dict()
    if isinstance(value, Recipe):
        return value.model_dump(mode="json")
    if isinstance(value, Budget):
        return value.text
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple | list) else value


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
