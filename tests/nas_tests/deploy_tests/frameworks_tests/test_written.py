"""Options as text."""

from __future__ import annotations

import tomllib
from typing import Any

import yaml

from nas.deploy.frameworks.written import as_toml, as_yaml

TWICE = [0.9, 0.99]
OPTIONS: dict[str, Any] = {
    "name": 'a "name" with \\ and ü',
    "on": True,
    "small": 1e-5,
    "table": {"inner": {"numbers": [1, 2]}, "after": 3, "deeper": {"one": {"text": ""}}},
    "betas": TWICE,
    "again": TWICE,
}


def test_toml_is_read_as_it_was() -> None:
    assert tomllib.loads(as_toml(OPTIONS)) == OPTIONS


def test_yaml_is_read_as_it_was_and_written_out() -> None:
    text = as_yaml({**OPTIONS, "nothing": None})
    assert yaml.safe_load(text) == {**OPTIONS, "nothing": None}
    assert "&id" not in text
    assert list(yaml.safe_load(text)) == [*OPTIONS, "nothing"]
