"""Tables of parts: how one is added, and what is said about a wrong one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from torch import nn

from search_spaces import InputError
from search_spaces.attention import ATTENTIONS
from search_spaces.part import Table


class TestTable:
    def test_adds_a_part_with_its_options_read_off_the_constructor(self) -> None:
        class Wide(nn.Module):
            def __init__(self, channels: int, *, width: int = 4) -> None:
                super().__init__()

            @staticmethod
            def layers(channels: int, size: object, *, width: int = 4) -> Iterator[Any]:
                return iter(())

        table = Table("thing", {"wide": Wide})
        assert table.parse({"kind": "wide", "width": 6})["width"] == 6
        assert table.parse("wide")["width"] == 4
        with pytest.raises(InputError, match="thing 'wide' is there already"):
            table.add("wide", Wide)
        with pytest.raises(InputError, match="static method layers"):
            table.add("other", nn.Identity)
        assert list(table) == ["wide"]

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("esaa", "unknown attention 'esaa': did you mean 'esa'"),
            ({"kind": "esa", "widht": 3}, "unknown key 'widht': did you mean 'width'"),
            ({"kind": "esa"}, "attention 'esa': missing key 'width'"),
            ({"kind": "esa", "width": 3.0}, "width: input should be a valid integer, got 3.0"),
            ({"kind": "esa", "width": 0}, "width: input should be greater"),
            ({"width": 3}, "expected a name or a mapping with 'kind'"),
            (7, "expected a name or a mapping with 'kind', got 7"),
            ({"kind": ["esa"]}, "expected a name or a mapping with 'kind'"),
        ],
    )
    def test_rejects(self, value: object, message: str) -> None:
        with pytest.raises(InputError, match=message):
            ATTENTIONS.parse(value)
