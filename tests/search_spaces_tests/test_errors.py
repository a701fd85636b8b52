from __future__ import annotations

import pickle

import pytest

from search_spaces import errors
from search_spaces.errors import InputError, MissingExtra, first_line


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name[0].isupper()])
def test_whoever_catches_bad_input_catches_all_of_them(name: str) -> None:
    assert issubclass(getattr(errors, name), InputError)


def test_of_many_lines_the_first_is_told_and_of_none_the_kind() -> None:
    assert first_line(RuntimeError("no such layer\nTraceback of the library")) == "no such layer"
    assert first_line(KeyError()) == "KeyError"


def test_a_missing_package_names_its_extra_and_how_to_install_it() -> None:
    error = MissingExtra("engine ray: Ray is not installed; install the extra", "ray")
    # As between processes.
    for one in (error, pickle.loads(pickle.dumps(error))):
        assert one.extra == "ray"
        assert str(one) == (
            "engine ray: Ray is not installed; install the extra: pip install 'nas-sr[ray]'"
        )
