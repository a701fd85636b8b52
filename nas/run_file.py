"""What stands in a run folder's run.yaml: its schema, how it is read, checked and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import yaml
from annotated_types import Ge, Gt, MinLen

from nas.choice import BETTER, check_preference
from nas.data.places import PhotoPlaces
from nas.objectives import OBJECTIVES
from nas.plain import from_plain
from search_spaces.architecture import Scale
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.yaml_file import read_yaml

__all__ = ["RUN_FILE", "SCHEMA_VERSION", "Identity", "photo_places", "read_run_file", "write_run"]

RUN_FILE = "run.yaml"
SCHEMA_VERSION = 1

_Pixels: TypeAlias = Annotated[int, Gt(0)]


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What of a recipe is read by itself; whoever trains by it checks the whole."""

    steps: Annotated[int, Ge(1)] = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What every trial of the run has in common: as ``SearchSettings.identity`` tells it."""

    space: str
    objectives: Annotated[tuple[str, ...], MinLen(1)]
    budgets: Mapping[str, Annotated[float, Gt(0)]]
    scale: Scale
    hr: tuple[_Pixels, _Pixels]
    profile: str = "custom"
    space_hash: str = ""
    recipe: _Recipe = field(default_factory=_Recipe)
    data: str = ""
    data_fingerprint: str = ""
    latency_lr: tuple[_Pixels, _Pixels] | None = None
    latency_model: str | None = None
    latency_threads: Annotated[int, Ge(1)] | None = None
    latency_command: tuple[str, ...] = ()
    latency_pattern: str | None = None
    rungs: tuple[Annotated[int, Ge(1)], ...] = ()

    def check(self, where: str) -> None:
        """Makes sure that objectives and budgets are known ones.

        Raises:
            InputError: they are not.
        """
        attributes = [one.attribute for one in OBJECTIVES.values()]
        for key, names, known in (
            ("objectives", self.objectives, list(OBJECTIVES)),
            ("budgets", self.budgets, attributes),
        ):
            for name in names:
                if name not in known:
                    expected = ", ".join(known)
                    raise InputError(
                        f"{where}.{key}: expected some of {expected}, got {name!r}; one of your "
                        f"own comes with --import FILE.py"
                    )


@dataclass(frozen=True, slots=True)
class _Photos:
    """Which photos, and where they were."""

    train: int = 0
    validation: tuple[str, ...] = ()
    data: str | None = None
    val: str | None = None
    lr: str | None = None
    val_lr: str | None = None
    degradation: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _RunFile:
    """The file as a whole."""

    schema_version: int
    study: str
    storage: str | None
    identity: Identity
    bicubic: Mapping[str, float | None] = field(default_factory=dict)
    photos: _Photos = field(default_factory=_Photos)
    sampler: str = "unknown"
    seed: int = 0
    trials: int = 0
    prefer: str = BETTER
    noise_db: Annotated[float, Ge(0)] | None = None
    imports: tuple[str, ...] = ()
    command: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


def read_run_file(folder: Path) -> dict[str, Any]:
    """What a run folder's run.yaml says, its types and ranges checked.

    Raises:
        InputError: no run is there, or the file is not one of nas search.
    """
    path = folder / RUN_FILE
    if not path.is_file():
        raise InputError(
            f"{folder}: no run is there (no {RUN_FILE}); expected a folder of nas search"
        )
    about, _ = read_yaml(path)
    version = about.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise InputError(
            f"{path}: schema_version: expected {SCHEMA_VERSION}, got {version!r}; expected a file "
            f"of nas search of this version"
        )
    told = from_plain(_RunFile, about, str(path))
    told.identity.check(f"{path}: identity")
    try:
        check_preference(told.prefer)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return about


def photo_places(about: Mapping[str, Any]) -> PhotoPlaces:
    """Where the photos of a run were when it was begun, by what its run.yaml says.

    Raises:
        InputError: a degradation that is none.
    """
    return PhotoPlaces.of_only_plain(about.get("photos", {}))


def write_run(folder: Path, about: Mapping[str, Any]) -> None:
    """Writes run.yaml, whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    plain = {"schema_version": SCHEMA_VERSION, **about}
    with atomic_path(folder / RUN_FILE) as temporary:
        temporary.write_text(yaml.safe_dump(plain, sort_keys=False, width=96), encoding="utf-8")
