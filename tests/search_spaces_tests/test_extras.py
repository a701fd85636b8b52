from __future__ import annotations

import importlib.util

import pytest

from search_spaces.errors import MissingExtra
from search_spaces.extras import need


def test_only_what_is_missing_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    need("ONNX", "export", "json", "csv")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name != "csv" else "")
    with pytest.raises(MissingExtra) as caught:
        need("ONNX", "export", "onnx", "csv", "onnxscript")
    assert caught.value.extra == "export"
    assert str(caught.value) == (
        "ONNX needs onnx, onnxscript, which the extra 'export' brings: pip install 'nas-sr[export]'"
    )
