"""Key maps: how published code names the weights that a network of ours has too.

A key map is a YAML file: ``title``, ``keys`` (their layer: our layer, the first that
matches counts), and how that code feeds images where it differs from the preset,
``value_range`` and ``mean``. ``{block}`` stands for a number counted from 0, and
``{block+1}`` for the same number counted from 1. A new layout is a new file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError
from search_spaces.yaml_file import read_yaml

__all__ = ["KeyMap", "key_maps"]

_FOLDER = Path(__file__).parent / "keymaps"
_NUMBER = re.compile(r"\{([A-Za-z_]\w*)(?:\+(\d{1,3}))?\}", re.ASCII)
_OURS = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)
_MOST_NUMBERS = 4
_FIELDS = ("title", "keys", "value_range", "mean")


@dataclass(frozen=True, slots=True)
class KeyMap:
    """One layout of published weights.

    Attributes:
        name: of the file, without its suffix.
        title: whose code names its weights so.
        feeds: fields of the Architecture that this code feeds its images by.
        rules: pattern of their name -> template of ours, in order.
    """

    name: str
    title: str
    feeds: Mapping[str, Any]
    rules: tuple[tuple[re.Pattern[str], str, Mapping[str, int]], ...] = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> KeyMap:
        """The key map in a YAML file.

        Raises:
            InputError: not such a file, an unknown field, or a number that only one side has.
        """
        data, _ = read_yaml(path)
        unknown = [key for key in data if key not in _FIELDS]
        keys = data.get("keys")
        if unknown or not isinstance(keys, dict) or not keys:
            told = f"unknown field {unknown[0]!r}" if unknown else "no mapping 'keys'"
            raise InputError(f"{path}: {told}; a key map has the fields {', '.join(_FIELDS)}")
        try:
            rules = tuple(_rule(str(theirs), str(ours)) for theirs, ours in keys.items())
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        feeds: dict[str, Any] = {key: data[key] for key in ("value_range", "mean") if key in data}
        return cls(path.stem, str(data.get("title", path.stem)), feeds, rules)

    def ours(self, key: str) -> str | None:
        """Our name of their ``key``, e.g. ``blocks.0.fuse.bias``; None where no rule fits."""
        for pattern, template, offsets in self.rules:
            if match := pattern.fullmatch(key):
                numbers = {n: int(match[f"n_{n}"]) - offset for n, offset in offsets.items()}
                if min(numbers.values(), default=0) >= 0:
                    return _filled(template, numbers) + (match["leaf"] or "")
        return None


def key_maps(more: Iterable[Path] = ()) -> tuple[KeyMap, ...]:
    """The key maps in ``more``, then those that come with the package.

    Raises:
        InputError: one of ``more`` is not a key map.
    """
    paths = (*more, *sorted(_FOLDER.glob("*.yaml")))
    return tuple(KeyMap.load(Path(path)) for path in paths)


def _filled(template: str, numbers: Mapping[str, int]) -> str:
    return _OURS.sub(lambda asked: str(numbers[asked[1]]), template)


def _rule(theirs: str, ours: str) -> tuple[re.Pattern[str], str, Mapping[str, int]]:
    rule = f"the rule '{theirs}: {ours}'"
    if set(_NUMBER.sub("", theirs) + _OURS.sub("", ours)) & set("{}"):
        raise InputError(f"{rule} may have {{name}} in braces, on the left {{name+1}} too, no more")
    pattern, end = "", 0
    offsets: dict[str, int] = {}
    for match in _NUMBER.finditer(theirs):
        pattern += re.escape(theirs[end : match.start()])
        name, end = match[1], match.end()
        # No network has a million blocks; int() of a key without an end would fail.
        pattern += rf"(?P=n_{name})" if name in offsets else rf"(?P<n_{name}>[0-9]{{1,6}})"
        offsets.setdefault(name, int(match[2] or 0))
    pattern += re.escape(theirs[end:])
    if set(_OURS.findall(ours)) != set(offsets):
        raise InputError(f"{rule} must have the same numbers on both sides")
    # Each further one multiplies the ways to read a key of digits alone.
    if len(offsets) > _MOST_NUMBERS:
        raise InputError(f"{rule} has {len(offsets)} numbers; expected {_MOST_NUMBERS} at most")
    return re.compile(pattern + r"(?P<leaf>\.(weight|bias))?"), ours, offsets
