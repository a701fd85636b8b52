"""Importing the package is cheap; its names come when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import search_spaces


def test_torch_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, search_spaces; dir(search_spaces); search_spaces.InputError;"
        "print([m for m in ('torch', 'pydantic', 'safetensors', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", search_spaces.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert name in dir(search_spaces)
    assert getattr(search_spaces, name).__doc__


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        search_spaces.nothing  # noqa: B018
