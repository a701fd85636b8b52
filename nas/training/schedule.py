"""A full training as data: phases after each other, each a recipe; the papers' ones by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nas.plain import checked
from nas.training.recipe import PROFILES, Recipe, profile
from search_spaces.errors import InputError
from search_spaces.yaml_file import at_key, read_yaml

__all__ = ["FullRecipe", "full_recipe_names", "load_full_recipe"]

_FOLDER = Path(__file__).parent / "recipes"


class FullRecipe(BaseModel):
    """A whole training.

    Attributes:
        name: of the recipe, or the file's.
        source: the paper or code that the values are from.
        about: what the source leaves open, and what stands here instead.
        phases: one after the other; each begins with fresh moments of Adam from the averaged
            weights that the one before ended with.
        teacher: weights of a network to learn from beside the photos, as each phase's
            ``teacher_share`` says; None: from the photos alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    about: str = ""
    phases: tuple[Recipe, ...] = Field(min_length=1)
    teacher: Path | None = None

    @property
    def steps(self) -> int:
        """Optimiser steps of all phases."""
        return sum(phase.steps for phase in self.phases)

    @property
    def lr_size(self) -> int:
        """Side of the smallest patch of any phase, LR pixels: smaller photos are of no use."""
        return min(phase.lr_size for phase in self.phases)

    def first_step(self, phase: int) -> int:
        """Steps before a phase, counted from 0; of all for the phase after the last."""
        return sum(one.steps for one in self.phases[:phase])

    def stretched(self, steps: int) -> FullRecipe:
        """The same training in another number of steps, every phase in proportion.

        Raises:
            InputError: fewer steps than phases.
        """
        if steps < len(self.phases):
            raise InputError(
                f"--steps: recipe {self.name} has {len(self.phases)} phases, so expected at "
                f"least {len(self.phases)} steps, got {steps}"
            )
        # Each phase gets what lies between two rounded ends, and one step at least.
        ends = [0]
        for number in range(1, len(self.phases) + 1):
            ideal = round(self.first_step(number) * steps / self.steps)
            later = len(self.phases) - number
            ends.append(min(max(ideal, ends[-1] + 1), steps - later))
        phases = tuple(
            phase.stretched(end - start)
            for phase, start, end in zip(self.phases, ends[:-1], ends[1:], strict=True)
        )
        return self.model_copy(update={"phases": phases})

    def changed(self, **changes: Any) -> FullRecipe:
        """The same training with some fields changed in every phase.

        Raises:
            InputError: an unknown field or a value outside its range.
        """
        return self.model_copy(
            update={"phases": tuple(phase.replace(**changes) for phase in self.phases)}
        )


def full_recipe_names() -> list[str]:
    """The names of the recipes that are shipped, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_full_recipe(name: str, scale: int) -> FullRecipe:
    """A recipe by name (imdn, ...), a profile of the search (quick, ...), or a YAML file.

    A phase in a file is a recipe with ``hr_size``, in HR pixels as papers count it, or
    ``lr_size``. A teacher is named by its path from the file's folder, or as what ships.

    Args:
        name: of the recipe or file.
        scale: upscaling factor, by which ``hr_size`` is divided, and the teacher's.

    Raises:
        InputError: no such recipe, or one that is not valid, with the line at fault; no such
            teacher, or one of another scale.
    """
    if name in PROFILES:
        return FullRecipe(
            name=name, source="nas-sr's own profile of that name", phases=(profile(name),)
        )
    path = _FOLDER / f"{name}.yaml" if name in full_recipe_names() else Path(name)
    if path.suffix.lower() not in (".yaml", ".yml"):
        known = ", ".join((*full_recipe_names(), *PROFILES))
        raise InputError(f"--recipe: expected one of {known} or a .yaml file, got {name!r}")
    data, text = read_yaml(path)
    try:
        return _parsed(path, data, scale)
    except InputError as error:
        raise InputError(at_key(path, text, str(error))) from None


def _parsed(path: Path, data: dict[str, Any], scale: int) -> FullRecipe:
    phases = data.get("phases")
    if not (isinstance(phases, list) and phases and all(isinstance(p, dict) for p in phases)):
        raise InputError("phases: expected a list of one recipe or more")
    unknown = sorted(data.keys() - {"source", "about", "teacher", "phases"})
    if unknown:
        raise InputError(f"{unknown[0]}: unknown key; expected source, about, teacher, phases")
    recipes = []
    for number, given in enumerate(phases):
        values = dict(given)
        hr_size = values.pop("hr_size", None)
        if hr_size is not None:
            if "lr_size" in values or not isinstance(hr_size, int) or hr_size < scale:
                raise InputError(
                    f"hr_size: expected a whole number of at least {scale}, and no lr_size beside "
                    f"it, got {hr_size!r}"
                )
            values["lr_size"] = hr_size // scale
        recipes.append(checked(Recipe, values, f"phases.{number}"))
    texts = {key: data.get(key, "") for key in ("source", "about")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise InputError(f"{key}: expected a text, got {value!r}")
    teacher = _teacher(data.get("teacher"), path.parent, scale)
    return FullRecipe(name=path.stem, phases=tuple(recipes), teacher=teacher, **texts)


def _teacher(given: Any, folder: Path, scale: int) -> Path | None:
    if given is None:
        return None
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise InputError(f"teacher: expected a file or a network that ships, got {given!r}")
    # With torch, which a recipe without a teacher does not need.
    from nas.training.teacher import named_teacher

    try:
        return named_teacher(given, folder, scale)
    except InputError as error:
        raise InputError(f"teacher: {error}") from None
