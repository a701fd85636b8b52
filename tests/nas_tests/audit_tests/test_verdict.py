"""An audit's verdict in its file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import pytest

from nas.audit.store import without_nan
from nas.audit.verdict import read_verdict, write_verdict
from search_spaces.errors import InputError
from tests.reports_tests.accounts import judged


def test_comes_back_as_it_was_with_what_is_unknown(tmp_path: Path) -> None:
    trust = judged()
    assert any(math.isnan(value) for value in trust.long_db)
    write_verdict(tmp_path, trust, {"a": 3})
    found = read_verdict(tmp_path)
    assert found is not None
    assert without_nan(asdict(found)) == without_nan(asdict(trust))
    assert json.loads((tmp_path / "audit.json").read_text())["trials"] == {"a": 3}


def test_there_may_be_none(tmp_path: Path) -> None:
    assert read_verdict(tmp_path / "audit") is None


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"hashes": [1]}', "[" * 100_000])
def test_something_else_is_one_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "audit.json").write_text(content)
    with pytest.raises(InputError, match=r"audit\.json: ") as caught:
        read_verdict(tmp_path)
    assert "\n" not in str(caught.value)
