"""What some tests need beyond the Python packages that every test has."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["missing"]


def missing(what: str) -> NoReturn:
    """Skips the test for want of something; where CI_REQUIRES_ALL is set, fails it."""
    if os.environ.get("CI_REQUIRES_ALL"):
        pytest.fail(f"{what}; with CI_REQUIRES_ALL set, nothing may be missing")
    pytest.skip(what, allow_module_level=True)
