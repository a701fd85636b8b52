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

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["from_plain"]

T = TypeVar("T")
_MOST_SHOWN = 40


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


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _told(problem: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    at = f"{key}: " if key else ""
    if problem["type"] in ("missing", "missing_argument"):
        return f"missing key {key!r}"
    message = str(problem["msg"]).replace("Input should be ", "")
    return f"{at}expected {message}, got {_shown(problem['input'])}"


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
        found = _unfit(value, f"{path}.{key}" if path else str(key))
        if found:
            return found
    return "" if path else "expected plain data"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
