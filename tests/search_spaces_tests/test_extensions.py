from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import Tensor, nn

from search_spaces import Architecture, InputError, build, load, price, save_weights
from search_spaces import extensions as module
from search_spaces.attention import ATTENTIONS
from search_spaces.extensions import GROUP, import_parts
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "my_blocks.py"


def architecture(attention: Any) -> Architecture:
    block = {"kind": "distillation", "stages": 2, "distillation": "none", "attention": attention}
    return Architecture.from_dict({"scale": 2, "channels": 8, "blocks": [block]})


class Gate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.conv(x).sigmoid()
        return x * gate

    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        yield conv("conv", channels, channels, 1, size)


class ForgetsBias(Gate):
    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        yield conv("conv", channels, channels, 1, size, bias=False)


class ForgetsPixels(Gate):
    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        yield conv("conv", channels, channels, 1, (1, 1))


def test_a_file_adds_a_part_that_is_priced_saved_and_loaded_like_ours(tmp_path: Path) -> None:
    import_parts([EXAMPLE])
    arch = architecture({"kind": "max", "width": 3})
    assert arch.foreign_parts() == {("attention", "max")}
    network = build(arch)
    assert price(arch).params == sum(p.numel() for p in network.parameters())
    arch.save(tmp_path / "net.yaml")
    assert Architecture.load(tmp_path / "net.yaml").hash == arch.hash
    save_weights(network, tmp_path / "net.safetensors")
    again = load(tmp_path / "net.safetensors").state_dict()
    assert all((again[name] == value).all() for name, value in network.state_dict().items())


def test_without_its_file_a_part_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown attention 'max'"):
        architecture("max")


@pytest.mark.parametrize(
    ("part", "figure"), [(ForgetsBias, "parameters"), (ForgetsPixels, "multiply-adds")]
)
def test_a_wrong_price_is_found_when_the_part_is_first_built(
    part: type[nn.Module], figure: str
) -> None:
    ATTENTIONS.add(f"wrong_{figure}", part)
    with pytest.raises(
        InputError, match=rf"layers\(\) of attention 'wrong_{figure}' does not match.* {figure}"
    ):
        build(architecture(f"wrong_{figure}"))


def test_a_right_price_is_accepted() -> None:
    ATTENTIONS.add("gate", Gate)
    assert build(architecture("gate")).architecture.blocks[0]["attention"].kind == "gate"


def test_parts_inside_parts_count_as_foreign_too() -> None:
    ATTENTIONS.add("gate", Gate)
    block = {
        "kind": "distillation", "stages": 2, "distillation": "fdc", "distilled": 4,
        "distilled_attention": "gate",
    }  # fmt: skip
    arch = Architecture.from_dict({"scale": 2, "channels": 8, "blocks": [block]})
    assert arch.foreign_parts() == {("attention", "gate")}
    assert architecture("pa").foreign_parts() == set()


def test_a_taken_name_and_a_class_without_layers_change_nothing() -> None:
    before = set(ATTENTIONS)
    with pytest.raises(InputError, match="'pa' is there already"):
        ATTENTIONS.add("pa", Gate)
    with pytest.raises(InputError, match="static method layers"):
        ATTENTIONS.add("bare", nn.Identity)
    assert set(ATTENTIONS) == before


def test_an_option_that_holds_a_part_says_of_which_sort() -> None:
    class Holder(nn.Module):
        def __init__(self, channels: int, *, inner: Part | None = None) -> None:
            super().__init__()

        layers = Gate.layers

    with pytest.raises(InputError, match=r"'holder': inner: expected the type .*AttentionPart"):
        ATTENTIONS.add("holder", Holder)
    assert "holder" not in ATTENTIONS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 0", "fails with ZeroDivisionError"),
        ("def (", "fails with SyntaxError"),
        ("raise SystemExit(3)", "fails with SystemExit"),
        ("import no_such_module_here", "fails with ModuleNotFoundError"),
    ],
)
def test_a_failing_file_is_one_line(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "parts.py"
    file.write_text(text)
    with pytest.raises(InputError, match=expected) as caught:
        import_parts([file])
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        import_parts([tmp_path / "parts.py"])


def test_packages_add_parts_by_their_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(group: str) -> list[Any]:
        assert group == GROUP
        return [SimpleNamespace(load=lambda: ATTENTIONS.add("packaged", Gate))]

    monkeypatch.setattr(module, "entry_points", installed)
    import_parts()
    assert build(architecture("packaged")).architecture.blocks
