"""YAML files read safely, with the line of a key at hand for error messages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from search_spaces.errors import InputError
from search_spaces.plain_yaml import plain_data
from search_spaces.regular import open_regular

__all__ = ["at_key", "parse_yaml", "read_yaml", "to_yaml"]

# A thousand times what any of our files needs; reading a megabyte takes PyYAML seconds.
_MOST_BYTES = 1_000_000


def read_yaml(path: Path | str) -> tuple[dict[str, Any], str]:
    """The mapping in a YAML file, and the file's text.

    Raises:
        InputError: no such file, not a regular one, not readable, or `parse_yaml`'s.
    """
    try:
        with open_regular(path) as file:
            raw = file.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a UTF-8 text"
        raise InputError(f"{path}: cannot be read ({reason}); expected a YAML file") from None
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path}: more than {_MOST_BYTES} bytes; expected a short YAML file")
    return parse_yaml(text, str(path)), text


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping in a YAML text: plain data with words as keys, in memory as in the text's size.

    Args:
        text: of any length, from anybody.
        name: where it lay, for errors.

    Raises:
        InputError: not YAML (with its line), no mapping, or more than plain data (see
            `plain_data`).
    """
    try:
        data = plain_data(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # What is not closed ends behind the last line.
        where = f":{max(1, min(mark.line + 1, len(text.splitlines())))}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InputError(f"{name}{where}: {problem}; expected a YAML mapping") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply; expected a YAML mapping") from None
    # An escape that is no character, a version of a thousand digits.
    except (ValueError, ArithmeticError) as error:
        raise InputError(f"{name}: not YAML ({error}); expected a YAML mapping") from None
    if not isinstance(data, dict):
        raise InputError(f"{name}: expected a YAML mapping, got {type(data).__name__}")
    return data


def at_key(path: Path | str, text: str, message: str) -> str:
    """``message`` behind ``path:line``: the line to which the keys it names lead.

    Each name in the message is looked for as a key from the line of the one before on, so
    that ``blocks.0: attention: ...`` finds the attention among the blocks.
    """
    lines = text.splitlines()
    found = None
    named = re.split(r"did you mean|expected| got ", message)[0]
    # "block 'distillation':" names a value, not a key.
    named = re.sub(r"(?<!unknown )\b\w+ '[^']*': ", "", named)
    for name in re.split(r"[\s:.']+", named):
        word = re.escape(name)
        key = rf"['\"]?{word}['\"]?:(?:\s|$)"
        # The first name is that of a key with a line of its own, where there is one.
        forms = [rf"^[\s-]*{key}"] if found is None else []
        forms += [rf"{word}\b"] if name.startswith("$") else [rf"(?:^|[\s{{,]){key}"]
        for form in forms if name else []:
            matches = (k for k in range(found or 0, len(lines)) if re.search(form, lines[k]))
            line = next(matches, None)
            if line is not None:
                found = line
                break
    return f"{path}: {message}" if found is None else f"{path}:{found + 1}: {message}"


def to_yaml(data: dict[str, Any]) -> str:
    """Plain data as YAML, keys in the order given, short mappings on one line."""
    return yaml.dump(data, sort_keys=False, default_flow_style=None, width=96, allow_unicode=True)
