"""Equal networks have equal hashes, others do not."""

from __future__ import annotations

from typing import Any

import pytest

from search_spaces import preset
from search_spaces.part import Part, Table
from tests.search_spaces_tests.test_architecture import FDC, SPLIT, arch


class TestHash:
    def test_is_the_same_in_every_session(self) -> None:
        """Literal values: a change here breaks every stored study."""
        assert preset("rfdn").hash == "6f994055983dacf4"
        assert preset("mrdn").hash == "37b29139f39d26e9"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param({**FDC, "distilled": [4, 4, 4]}, FDC, id="list-or-number"),
            pytest.param({**FDC, "refined": 16, "last": 16}, FDC, id="filled-in-or-not"),
            pytest.param({**FDC, "refined": [16] * 3, "fuse": True}, FDC, id="default-or-not"),
            pytest.param(dict(reversed(FDC.items())), FDC, id="order-of-keys"),
            pytest.param({**SPLIT, "refined": [12, 12], "last": 12}, SPLIT, id="split"),
            pytest.param("spab", {"kind": "spab"}, id="bare-name"),
            pytest.param("spab", {"kind": "spab", "convolution": "plain"}, id="nested-default"),
            pytest.param(
                {"kind": "spab", "convolution": {"kind": "plain", "kernel": 3}},
                "spab",
                id="nested-option",
            ),
            pytest.param(
                {**FDC, "attention": {"kind": "esa_lite", "width": 16}},
                {**FDC, "attention": "esa_lite"},
                id="attention-default",
            ),
            pytest.param(
                {**FDC, "attention": {"kind": "esa", "width": 4, "slope": 0}},
                {**FDC, "attention": {"kind": "esa", "width": 4}},
                id="whole-number-for-a-fraction",
            ),
            pytest.param({**FDC, "attention": None}, FDC, id="null"),
        ],
    )
    def test_equal_networks_have_equal_hashes(self, one: Any, other: Any) -> None:
        assert arch(one) == arch(other)
        assert arch(one).hash == arch(other).hash
        assert arch(one).to_dict() == arch(other).to_dict()

    def test_repeat_or_list(self) -> None:
        assert arch({**FDC, "repeat": 3}).hash == arch(FDC, FDC, FDC).hash
        assert arch({**FDC, "repeat": 2}, FDC).hash == arch(FDC, FDC, FDC).hash
        assert arch({**FDC, "repeat": 1}).hash == arch(FDC).hash

    def test_repeated_blocks_are_parsed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[str] = []
        plain = Table._part

        def watched(self: Table, kind: str, options: Any) -> Part:
            made.append(kind)
            return plain(self, kind, options)

        monkeypatch.setattr(Table, "_part", watched)
        arch(FDC)
        one = len(made)
        arch({**FDC, "repeat": 12})
        assert len(made) == 2 * one

    @pytest.mark.parametrize(
        "fields",
        [
            {"schema_version": 1},
            {"colors": 3},
            {"value_range": 1},
            {"mean": None},
            {"mean": [0, 0.0, 0]},
            {"activation": "leaky_relu"},
            {"activation": {"kind": "leaky_relu", "slope": 0.05}},
            {"stem": "conv"},
            {"fusion": {"kind": "concat", "activated": True}},
            {"upsampler": {"kind": "pixelshuffle"}},
            {"image_skip": "none"},
            {"image_skip": {"kind": "none"}},
        ],
    )
    def test_defaults_written_or_not(self, fields: dict[str, Any]) -> None:
        assert arch(**fields).hash == arch().hash

    def test_different_networks_have_different_hashes(self) -> None:
        made = [
            arch(),
            arch(scale=2),
            arch(channels=18),
            arch(colors=1),
            arch(value_range=255),
            arch(mean=[0.1, 0.2, 0.3]),
            arch(activation="relu"),
            arch(activation={"kind": "leaky_relu", "slope": 0.1}),
            arch(stem="pyramid"),
            arch(fusion="chain"),
            arch(fusion={"kind": "concat", "activated": False}),
            arch(upsampler="deconv"),
            arch(image_skip="bicubic"),
            arch(image_skip="linear"),
            arch(image_skip={"kind": "linear", "kernel": 7}),
            arch(FDC, FDC),
            arch(FDC, "spab"),
            arch("spab", FDC),
            arch({**FDC, "distilled": [4, 4, 5]}),
        ]
        assert len({a.hash for a in made}) == len(made)
