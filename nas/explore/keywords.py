"""The keywords that make a search's settings: for editors, for type checkers and for help()."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, get_type_hints

from nas.data.degradations import Chain
from nas.training.recipe import Recipe
from search_spaces import Space

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Keywords", "tells_keywords_of"]

_ATTRIBUTE = re.compile(r"^    \w+: .*\n?(?:^     .*\n?)*", re.M)

F = TypeVar("F", bound=Callable[..., Any])


class Keywords(TypedDict, total=False):
    """What may be given for each setting but the budget; ``None`` is as if it were left out.

    Names are those of ``nas search``. A size is ``"160x90"``, width x height, or
    (height, width); a timeout is ``"5m"`` or seconds.
    """

    objectives: Sequence[str] | str | None
    space: str | Path | Space | None
    scale: int | None
    profile: str | None
    recipe: Recipe | None
    sampler: str | None
    trials: int | None
    timeout: float | str | None
    rungs: int | None
    eta: float | None
    early_stop: bool | None
    candidates: int | None
    seed: int | None
    data: Path | str | None
    lr: Path | str | None
    val: Path | str | None
    val_lr: Path | str | None
    degradation: Chain | Path | str | None
    run: Path | str | None
    warm_start: Sequence[Path | str] | None
    prefer: str | None
    storage: str | None
    study: str | None
    checkpoints: str | None
    checkpoints_mb: float | None
    device: str | None
    latency_size: tuple[int, int] | str | None
    latency_command: Sequence[str] | str | None
    latency_pattern: str | None
    latency_limit: float | None
    latency_elsewhere: bool | None
    latency_model: Path | str | None
    threads: int | None
    noise_db: float | None


def _told(model: type[BaseModel], names: Iterable[str]) -> str:
    """What the model's docstring says of these attributes."""
    _, _, attributes = str(inspect.getdoc(model)).partition("Attributes:\n")
    found = {text.partition(":")[0].strip(): text for text in _ATTRIBUTE.findall(attributes)}
    return "".join(found[name].rstrip("\n") + "\n" for name in names)


def tells_keywords_of(model: type[BaseModel]) -> Callable[[F], F]:
    """Lets help() show a function's keywords, and what its settings' attributes say of them."""
    kinds = get_type_hints(Keywords)

    def told(function: F) -> F:
        shown, keyword = inspect.signature(function), inspect.Parameter.KEYWORD_ONLY
        every = [p for p in shown.parameters.values() if p.kind != inspect.Parameter.VAR_KEYWORD]
        for name, kind in kinds.items():
            field = model.model_fields[name]
            usual = None if field.default_factory else field.default
            every.append(inspect.Parameter(name, keyword, default=usual, annotation=kind))
        function.__signature__ = shown.replace(parameters=every)  # type: ignore[attr-defined]
        about, _, example = str(inspect.getdoc(function)).partition("\nExample:\n")
        function.__doc__ = f"{about}\nSettings:\n{_told(model, kinds)}\nExample:\n{example}"
        return function

    return told
