"""YAML files read safely, with the line of a key at hand for error messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from search_spaces.errors import InputError

__all__ = ["at_key", "read_yaml", "to_yaml"]


class _StrictLoader(yaml.SafeLoader):
    """The safe loader, but a key given twice is an error instead of a silent choice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} is given twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path | str) -> tuple[dict[str, Any], str]:
    """The mapping in a YAML file, and the file's text.

    Raises:
        InputError: no such file, not readable, not YAML (with its line), or no mapping.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a UTF-8 text"
        raise InputError(f"{path}: cannot be read ({reason}); expected a YAML file") from None
    try:
        # The loader derives from SafeLoader: it builds plain data only.
        data = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InputError(f"{path}{where}: {problem}; expected a YAML mapping") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply; expected a YAML mapping") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a YAML mapping, got {type(data).__name__}")
    return data, text


def at_key(path: Path | str, text: str, message: str) -> str:
    """``message`` behind ``path:line``, the line of the first key that it names."""
    for token in message.replace(":", " ").replace(".", " ").replace("'", " ").split():
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip().removeprefix("- ").lstrip("{ ").startswith(f"{token}:"):
                return f"{path}:{number}: {message}"
    return f"{path}: {message}"


def to_yaml(data: dict[str, Any]) -> str:
    """Plain data as YAML, keys in the order given, short mappings on one line."""
    return yaml.dump(data, sort_keys=False, default_flow_style=None, width=96, allow_unicode=True)
