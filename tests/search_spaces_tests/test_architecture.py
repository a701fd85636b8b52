"""Canonical form, hashes, what is rejected, round trips."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from search_spaces import Architecture, InputError, Space, price

FDC = {"kind": "distillation", "stages": 4, "distillation": "fdc", "distilled": 4}
SPLIT = {"kind": "distillation", "stages": 3, "distillation": "split", "distilled": 4}
SPACE = Space.load("distillation")
CHAIN = {"kind": "distillation", "stages": 3, "distillation": "none"}


def arch(*blocks: Any, **fields: Any) -> Architecture:
    return Architecture.from_dict(
        {"scale": 4, "channels": 16, "blocks": list(blocks or [FDC]), **fields}
    )


@st.composite
def points(draw: st.DrawFn, space: Space) -> dict[str, Any]:
    """Any point of a space."""
    labels: dict[str, Any] = {}
    for d in space.active(labels):
        labels[d.name] = draw(st.sampled_from(d.labels or d.grid))
    return labels


def test_a_single_stage_needs_no_word_on_distillation_and_more_do() -> None:
    single = {"kind": "distillation", "stages": 1}
    assert arch(single).hash == arch({**single, "distillation": "none"}).hash
    with pytest.raises(InputError, match="missing key 'distillation': none, split or fdc"):
        arch({**single, "stages": 2})


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({**CHAIN, "distilled": 4}, "distilled: .* no effect without distillation"),
        ({**CHAIN, "distilled_attention": "pa"}, "distilled_attention: .* no effect"),
        ({**CHAIN, "distill_kernel": 3}, "distill_kernel: 3 has no effect without .*fdc"),
        ({**SPLIT, "distill_activation": False}, "distill_activation: .* no effect"),
        ({**FDC, "distilled_first": False}, "distilled_first: .* no effect without .*split"),
        ({**FDC, "attention_place": "before"}, "attention_place: .* no effect"),
        ({**CHAIN, "stages": 1, "shallow_residual": True}, "shallow_residual: .* no effect"),
        ({**CHAIN, "stages": 1, "refined": 8}, "refined: .* no effect"),
        ({**FDC, "stages": 1}, "distillation: 'fdc' has no effect"),
        ({"kind": "spab", "width": 3}, "unknown key 'width'"),
    ],
)
def test_a_setting_without_effect_is_rejected(block: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        arch(block)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({**FDC, "distilled": []}, r"distilled: expected one width or 3 .* got \[\]"),
        ({**FDC, "refined": []}, r"refined: expected one width or 3 .* got \[\]"),
        ({**FDC, "refined": [8, 8]}, r"refined: expected one width or 3 .* got \[8, 8\]"),
        ({**SPLIT, "distilled": [4]}, "distilled: expected one width or 2"),
        ({**FDC, "distilled": [4, 0, 4]}, "distilled: expected a width of at least 1"),
        ({**FDC, "distilled": 4.0}, "distilled: expected a width of at least 1 .* got 4.0"),
        ({**FDC, "distilled": True}, "distilled: expected a width of at least 1 .* got True"),
        ({**SPLIT, "distilled": 16}, "refined: expected widths of at least 1"),
        ({"kind": "distillation", "stages": 3, "distillation": "fdc"}, "missing key 'distilled'"),
        ({**FDC, "shallow_residual": True, "refined": [16, 8, 8]}, "shallow_residual: every"),
        ({**FDC, "last_residual": True, "last": 3}, "last_residual: last must be 16"),
        ({**FDC, "fuse": False}, "fuse: false needs widths that add up to 16, got 28"),
        ({**FDC, "residual": "fuse"}, "residual: 'fuse' needs a fusing 1x1 on 16 channels"),
        ({**FDC, "stages": 0}, "stages: input should be greater"),
        ({**FDC, "stages": 17}, "stages: input should be less"),
        ({**FDC, "stages": "4"}, "stages: input should be a valid integer, got '4'"),
        ({**FDC, "fuse": "no"}, "fuse: input should be a valid boolean, got 'no'"),
        ({**FDC, "distillation": "fcd"}, "distillation: input should be .*got 'fcd'"),
        ({"kind": "enhancement"}, "do not fit 16 channels"),
        ({"kind": "enhancement", "distilled": 3, "groups": 2}, "do not fit 16 channels"),
        ({**FDC, "repeat": 0}, "repeat: expected a number in 1..256, got 0"),
        ({**FDC, "repeat": 10**9}, "repeat: expected a number in 1..256"),
        ({**FDC, "repeat": True}, "repeat: expected a number in 1..256, got True"),
    ],
)
def test_widths_that_do_not_fit(block: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        arch(block)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"chanels": 3}, "unknown key 'chanels': did you mean 'channels'"),
        ({"channels": 0}, "channels: input should be greater than or equal to 1, got 0"),
        ({"channels": 5000}, "channels: .* less than or equal to 4096"),
        ({"channels": 16.0}, "channels: .* valid integer, got 16.0"),
        ({"scale": 8}, "scale: .* 2, 3 or 4, got 8"),
        ({"schema_version": 2}, "schema_version: .* got 2"),
        ({"value_range": 2}, "value_range: .* 1 or 255, got 2"),
        ({"mean": [0.5]}, r"mean: expected 3 numbers in 0..1, got \[0.5\]"),
        ({"mean": [0.5, 2, 0.1]}, "mean: expected 3 numbers in 0..1"),
        ({"mean": [0.5, float("nan"), 0.1]}, "mean: expected 3 numbers in 0..1"),
        ({"image_skip": "bilinera"}, "unknown image_skip 'bilinera': did you mean 'bilinear'"),
        ({"image_skip": {"kind": "linear", "kernel": 4}}, "kernel: .* 3, 5, 7 or 9, got 4"),
        ({"blocks": []}, "blocks: expected 1 to 256 of them, got none: .* say 'fusion: none'"),
        ({"blocks": [], "fusion": "sum"}, "blocks: expected 1 to 256 of them, got none"),
        ({"blocks": [], "fusion": "nome"}, "unknown fusion 'nome': did you mean 'none'"),
        ({"blocks": [{**FDC, "repeat": 256}, FDC]}, "1 to 256 of them, got more than 256"),
        ({"blocks": 3}, "blocks: .*got 3"),
        ({"blocks": ["spba"]}, "unknown block 'spba': did you mean 'spab'"),
        ({"activation": {"kind": "leaky_relu", "slope": 1.5}}, "slope: input should be less"),
        ({"stem": None}, "stem: expected a name or a mapping"),
    ],
)
def test_bad_fields(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        arch(**fields)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_network_without_blocks_has_no_fusion() -> None:
    bare = arch(blocks=[], fusion="none")
    assert bare.blocks == ()
    assert bare.to_dict()["blocks"] == []
    assert Architecture.from_dict(bare.to_dict()).hash == bare.hash


def test_a_misspelt_required_key_is_reported_as_misspelt() -> None:
    with pytest.raises(InputError, match="unknown key 'scael': did you mean 'scale'"):
        Architecture.from_dict({"scael": 4, "channels": 8, "blocks": ["spab"]})


@pytest.mark.parametrize("data", [[1, 2], "rfdn", None, 3])
def test_not_a_mapping(data: Any) -> None:
    with pytest.raises(InputError, match="expected an architecture's mapping"):
        Architecture.from_dict(data)


def test_is_frozen_hashable_and_copies() -> None:
    a = arch(FDC, "spab")
    with pytest.raises(ValidationError, match="frozen"):
        a.channels = 3  # type: ignore[misc]
    with pytest.raises(AttributeError):
        a.blocks[0].kind = "spab"  # type: ignore[misc]
    assert len({a, arch(FDC, "spab"), arch(FDC)}) == 2
    assert a.hash == pickle.loads(pickle.dumps(a)).hash == copy.deepcopy(a).hash


def test_plain_data_is_a_copy() -> None:
    a = arch()
    plain = a.to_dict()
    plain["blocks"][0]["stages"] = 2
    assert a.to_dict() != plain


def test_per_block_settings_are_kept() -> None:
    blocks = [{**FDC, "distilled": [1, 2, 3]}, "spab", {**SPLIT, "convolution": "bsconv"}]
    a = arch(*blocks)
    assert [block.kind for block in a.blocks] == ["distillation", "spab", "distillation"]
    assert a.blocks[0]["distilled"] == (1, 2, 3)
    assert a.blocks[2]["convolution"].kind == "bsconv"
    assert a.to_dict()["blocks"][0]["distilled"] == [1, 2, 3]
    assert Architecture.from_dict(a.to_dict()) == a


@settings(max_examples=60, deadline=None)
@given(point=points(SPACE), scale=st.sampled_from([2, 3, 4]))
def test_round_trip_over_the_space(
    tmp_path_factory: pytest.TempPathFactory, point: dict[str, Any], scale: int
) -> None:
    a = SPACE.architecture(point, scale)
    plain = a.to_dict()
    assert Architecture.from_dict(plain) == a
    path = tmp_path_factory.mktemp("round") / "network.yaml"
    a.save(path)
    loaded = Architecture.load(path)
    assert loaded == a
    assert loaded.hash == a.hash
    assert loaded.to_dict() == plain
    assert price(loaded) == price(a)


def test_save_replaces_whole_files_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "network.yaml"
    arch().save(path)

    def full(*_args: Any, **_options: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        arch("spab").save(path)
    monkeypatch.undo()
    assert Architecture.load(path) == arch()
    assert [p.name for p in path.parent.iterdir()] == ["network.yaml"]


def test_save_into_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        arch().save(tmp_path / "file" / "network.yaml")
