"""Options as the text of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

__all__ = ["as_toml", "as_yaml"]


def as_yaml(options: Mapping[str, Any]) -> str:
    """In YAML, in the same order, every list written out."""
    return yaml.dump(dict(options), Dumper=_NoAliases, sort_keys=False)


def as_toml(options: Mapping[str, Any]) -> str:
    """In TOML: of each table its plain values first. Keys are bare ones, and nothing is None."""
    return "\n".join(_table(options, ())).lstrip("\n") + "\n"


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _table(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    # Plain values of TOML are written as in JSON, as long as strings are ASCII.
    plain = [f"{key} = {json.dumps(value)}" for key, value in table.items() if key not in inner]
    head = ["", f"[{'.'.join(place)}]"] if place and plain else []
    return [
        *head,
        *plain,
        *(line for key, one in inner.items() for line in _table(one, (*place, key))),
    ]
