"""Plain data of a file or a store, made into records: the one place where their types are checked.

What people, other versions and damaged disks leave in run.yaml, in the rows of a study, in the
files of an audit or a compression comes through here, so that nothing behind it meets a figure
that is a word.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from search_spaces.errors import InputError, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter

__all__ = ["checked", "from_plain"]

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")
_MOST_SHOWN = 40
_RANGES = ("greater_than", "greater_than_equal", "less_than_equal", "finite_number")
_LIMITS = {"ge": "at least {:.10g}", "gt": "more than {:.10g}", "le": "at most {:.10g}"}


def from_plain(kind: type[T], values: Any, where: str) -> T:
    """The record of a kind that plain data describe.

    Types are those of JSON and taken strictly: "3" is no number, 3.0 is no count. Ranges are
    what the kind's annotations say (``annotated_types``); no number is infinite or NaN. Keys
    that the kind does not know are passed over.

    Args:
        kind: a dataclass, or a type such as ``tuple[int, ...]``.
        values: mappings, sequences, numbers, texts.
        where: file or row, for the message.

    Raises:
        InputError: of other types, or lacking something: names the key that is wrong.
    """
    from pydantic import ValidationError

    try:
        text = json.dumps(values, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InputError(f"{where}: {_unfit(values)}") from None
    key: Any = kind
    try:
        made: T = _adapter(key).validate_json(text, strict=True)
        return made
    except ValidationError as error:
        raise InputError(f"{where}: {_told(error.errors(include_url=False)[0])}") from None


def checked(kind: type[M], values: Mapping[str, Any], where: str = "") -> M:
    """The frozen model of a kind that values describe.

    Args:
        kind: a pydantic model.
        values: by the names of its fields.
        where: they come from, for the message.

    Raises:
        InputError: one line about the first that is unknown, of another type or out of its range.
    """
    from pydantic import ValidationError

    try:
        return kind.model_validate(values)
    except ValidationError as error:
        told = _told(error.errors(include_url=False)[0], kind)
        raise InputError(f"{where}: {told}" if where else told) from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _told(problem: Mapping[str, Any], kind: type[BaseModel] | None = None) -> str:
    key, ctx = ".".join(str(part) for part in problem["loc"]), problem.get("ctx", {})
    fields = kind.model_fields if kind is not None else {}
    if problem["type"] in ("missing", "missing_argument"):
        return f"missing key {key!r}"
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key{nearest(key, fields) if len(problem['loc']) == 1 else ''}"
    message = str(problem["msg"]).removeprefix("Value error, ").replace("Input should be ", "")
    if "error" in ctx:
        whole = not key or isinstance(ctx["error"], InputError)
        return message if whole else f"{key}: {message}"
    if problem["type"] in _RANGES:
        # pydantic names the one limit that is passed, the field has both.
        said = fields[key].metadata if key in fields else ()
        own = {name: getattr(one, name) for one in said for name in _LIMITS if hasattr(one, name)}
        message = _range({**ctx, **own}) or message
    at = f"{key}: " if key else ""
    return f"{at}expected {message}, got {_shown(problem['input'])}"


def _range(limits: Mapping[str, float]) -> str:
    if {"ge", "le"} <= limits.keys():
        return f"{limits['ge']:.10g} to {limits['le']:.10g}"
    return " and ".join(word.format(limits[k]) for k, word in _LIMITS.items() if k in limits)


def _unfit(values: Any, path: str = "") -> str:
    """What in the data is no plain data, or no number."""
    if len(path) > 1000:
        return "nested too deeply"
    at = f"{path}: " if path else ""
    if isinstance(values, float) and not math.isfinite(values):
        return f"{at}expected a finite number, got {values}"
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(values, Mapping):
        inner = list(values.items())
    elif isinstance(values, list | tuple):
        inner = list(enumerate(values))
    elif not isinstance(values, str | int | float | None):
        return f"{at}expected plain data, got {_shown(values)}"
    for key, value in inner:
        name = str(key) if str(key).isprintable() else repr(key)
        found = _unfit(value, f"{path}.{name}" if path else name)
        if found:
            return found
    return "" if path else "expected plain data"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
