"""What some tests need beyond the Python packages that every test has."""

from __future__ import annotations

import importlib.util
import os
from typing import NoReturn

import pytest

__all__ = ["missing", "needs"]


def missing(what: str) -> NoReturn:
    """Skips the test for want of something; where CI_REQUIRES_ALL is set, fails it."""
    if os.environ.get("CI_REQUIRES_ALL"):
        pytest.fail(f"{what}; with CI_REQUIRES_ALL set, nothing may be missing")
    pytest.skip(what, allow_module_level=True)


def needs(*packages: str) -> None:
    """The same where a package is not installed; none is imported, for some send word of that."""
    for name in packages:
        if importlib.util.find_spec(name.replace("-", "_")) is None:
            missing(f"{name} is not installed")
