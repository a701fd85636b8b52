from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from search_spaces.architecture import Architecture
from search_spaces.catalog import preset
from search_spaces.checkpoints import find_checkpoint, import_checkpoint
from search_spaces.errors import InputError
from search_spaces.keymap import KeyMap, key_maps
from search_spaces.network import build
from search_spaces.pth_file import read_checkpoint
from search_spaces.training_form import collapsed
from search_spaces.weights import load, save_weights
from tests.search_spaces_tests.test_training_form import conv3xc
from tests.search_spaces_tests.their_weights import State, saved, theirs


@pytest.mark.parametrize(
    ("layout", "name", "scale"),
    [("imdn", "imdn", 3), ("rfdn", "e_rfdn", 4), ("rlfn", "rlfn", 4), ("rlfn_ntire", "rlfn", 2),
     ("span", "span", 2), ("span", "span26", 4), ("disp", "disp", 3), ("spanv2", "spanv2", 4)],
)  # fmt: skip
def test_every_weight_comes_over(layout: str, name: str, scale: int, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = build(preset(name, scale))
    path = saved(theirs(network, layout), tmp_path / "a.pth")
    found = find_checkpoint(path)
    assert (found.key_map.name, found.preset, found.architecture.scale) == (layout, name, scale)
    imported = import_checkpoint(path, name, scale)
    assert not imported.training
    state = imported.state_dict()
    assert state.keys() == network.state_dict().keys()
    for key, tensor in network.state_dict().items():
        assert torch.equal(state[key], tensor), key


@pytest.mark.parametrize(
    ("layout", "name", "changes", "told"),
    [
        ("rlfn_ntire", "rlfn", {"channels": 12, "refined": 10, "last": 12, "repeat": 2},
         "rlfn x3 with channels 12, repeat 2, refined 10, last 12"),
        ("rfdn", "e_rfdn", {"distilled": 9, "last": 7, "colors": 1},
         "e_rfdn x3 with distilled 9, last 7, luma"),
        ("span", "span", {"channels": 20}, "span x3 with channels 20"),
        ("disp", "disp", {"repeat": 3, "colors": 1},
         "disp x3 with repeat 3, luma"),
        ("spanv2", "spanv2", {"channels": 24}, "spanv2 x3 with channels 24"),
    ],
)  # fmt: skip
def test_depth_widths_and_colours_are_read_off_the_shapes(
    layout: str, name: str, changes: dict[str, int], told: str, tmp_path: Path
) -> None:
    plain = preset(name, 3).to_dict()
    outside: dict[str, Any] = {k: changes[k] for k in ("channels", "colors") if k in changes}
    inside = {key: number for key, number in changes.items() if key not in outside}
    blocks = [{**plain["blocks"][0], **inside}]
    arch = Architecture.from_dict({**plain, **outside, "blocks": blocks})
    found = find_checkpoint(saved(theirs(build(arch), layout), tmp_path / "a.pth"))
    assert found.architecture == arch
    assert found.told.startswith(f"{told}, by the keys of {layout}: ")


def test_what_fits_nothing_says_what_comes_nearest(imdn: State, tmp_path: Path) -> None:
    path = saved({**imdn, "IMDB3.c2.weight": torch.ones(64, 48, 5, 5)}, tmp_path / "a.pth")
    with pytest.raises(
        InputError,
        match=r"fits no preset by the keys of disp, imdn, .*; nearest is imdn x2 by those of "
        r"imdn, where 91 of 92 keys fit: "
        r"IMDB3\.c2\.weight is \(64, 48, 5, 5\), expected \(64, 48, 3, 3\)$",
    ):
        import_checkpoint(path)
    path = saved({**imdn, "tail.bias": torch.ones(3)}, tmp_path / "b.pth")
    with pytest.raises(InputError, match=r"92 of 93 keys fit: tail\.bias has no place there$"):
        import_checkpoint(path)
    del imdn["LR_conv.bias"]
    with pytest.raises(InputError, match=r"91 of 91 .* fusion\.conv\.bias is not in the file$"):
        import_checkpoint(saved(imdn, tmp_path / "c.pth"))


def test_a_scale_that_is_given_has_to_be_the_files(imdn: State, tmp_path: Path) -> None:
    path = saved(imdn, tmp_path / "a.pth")
    assert import_checkpoint(path, scale=2).architecture == preset("imdn", 2)
    with pytest.raises(InputError, match=r"nearest is imdn x3 .*, where 90 of 92 keys fit"):
        import_checkpoint(path, scale=3)


def test_what_shapes_leave_open_is_asked(tmp_path: Path) -> None:
    # One transposed convolution of the same kernel for all scales.
    layout = tmp_path / "idn.yaml"
    names = build(preset("idn", 3)).state_dict()
    keys = {name.removesuffix(".weight") for name in names if name.endswith(".weight")}
    layout.write_text("keys:\n" + "".join(f"  my.{key}: {key}\n" for key in keys))
    path = saved({f"my.{name}": tensor for name, tensor in names.items()}, tmp_path / "a.pth")
    asked = "--preset idn --scale 2 or --preset idn --scale 3 or --preset idn --scale 4"
    with pytest.raises(InputError, match=f"leave open which it is: {asked}$"):
        import_checkpoint(path, layouts=[layout])
    assert import_checkpoint(path, scale=3, layouts=[layout]).architecture == preset("idn", 3)


def test_layout_says_how_its_code_feeds_images(tmp_path: Path) -> None:
    rlfn = build(preset("rlfn", 4))
    imported = import_checkpoint(saved(theirs(rlfn, "rlfn"), tmp_path / "a.pth"), "rlfn", 4)
    assert imported.architecture.value_range == 255


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"params": {}, "params_ema": state},
        lambda state: {"epoch": 7, "state_dict": {f"module.{k}": v for k, v in state.items()}},
        lambda state: {"model": {f"_orig_mod.{k}": v for k, v in state.items()}},
        lambda state: {key: value.double() for key, value in state.items()},
    ],
    ids=["module", "params_ema", "state_dict", "compiled", "double"],
)
def test_wrappings_come_off(wrap: Callable[[State], Any], imdn: State, tmp_path: Path) -> None:
    network = import_checkpoint(saved(wrap(imdn), tmp_path / "a.pth"), "imdn", 2)
    assert torch.equal(network.state_dict()["fusion.fuse.bias"], imdn["c.0.bias"])


def test_averaged_weights_are_preferred(imdn: State, tmp_path: Path) -> None:
    zeros = {key: torch.zeros_like(value) for key, value in imdn.items()}
    path = saved({"params": zeros, "params_ema": imdn}, tmp_path / "a.pth")
    assert torch.equal(read_checkpoint(path)["c.0.bias"], imdn["c.0.bias"])


def test_unused_key_is_named(imdn: State, tmp_path: Path) -> None:
    path = saved({**imdn, "tail.3.weight": torch.ones(1)}, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"unset none; unused tail\.3\.weight"):
        import_checkpoint(path, "imdn", 2)


def test_unset_key_is_named(imdn: State, tmp_path: Path) -> None:
    del imdn["LR_conv.bias"]
    with pytest.raises(InputError, match=r"unset fusion\.conv\.bias; unused none"):
        import_checkpoint(saved(imdn, tmp_path / "a.pth"), "imdn", 2)


def test_training_form_is_collapsed(tmp_path: Path) -> None:
    state = theirs(build(preset("span", 2)), "span")
    branches = conv3xc("block_2.c3_r", 28, 28)
    path = saved({**state, **branches}, tmp_path / "a.pth")
    network = import_checkpoint(path)
    expected = collapsed(branches)["block_2.c3_r.eval_conv.bias"]
    assert torch.equal(network.state_dict()["blocks.1.convs.2.conv.bias"], expected)


def test_same_place_twice_is_refused(imdn: State, tmp_path: Path) -> None:
    # "01" and "1" are the same number: the second one has no place left.
    path = saved({**imdn, "IMDB01.c5.bias": imdn["IMDB1.c5.bias"]}, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"unused IMDB01\.c5\.bias"):
        import_checkpoint(path, "imdn", 2)


def test_other_scale_says_which_fits(imdn: State, tmp_path: Path) -> None:
    path = saved(imdn, tmp_path / "a.pth")
    with pytest.raises(
        InputError,
        match=r"upsampler\.0\.weight is \(12, 64, 3, 3\), expected \(48, 64, 3, 3\); "
        r"they fit --preset imdn --scale 2$",
    ):
        import_checkpoint(path, "imdn", 4)


def test_other_network_says_which_fits(imdn: State, tmp_path: Path) -> None:
    path = saved(imdn, tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"not the weights of e_rfdn .*preset imdn --scale 2$"):
        import_checkpoint(path, "e_rfdn", 4)


class TestKeyMap:
    def test_own_layout_is_a_file(self, imdn: State, tmp_path: Path) -> None:
        renamed = {
            key.replace("IMDB", "body.").replace("fea_conv", "head"): value
            for key, value in imdn.items()
        }
        layout = tmp_path / "mine.yaml"
        layout.write_text(
            "value_range: 255\n"
            "mean: [0.5, 0.5, 0.5]\n"
            "keys:\n"
            "  head: stem.conv\n"
            "  body.{b+1}.c4: blocks.{b}.last.conv\n"
            "  body.{b+1}.c5: blocks.{b}.fuse\n"
            "  body.{b+1}.c{k+1}: blocks.{b}.stages.{k}.conv\n"
            "  body.{b+1}.cca.conv_du.0: blocks.{b}.attention.squeeze\n"
            "  body.{b+1}.cca.conv_du.2: blocks.{b}.attention.excite\n"
            "  c.0: fusion.fuse\n"
            "  LR_conv: fusion.conv\n"
            "  upsampler.0: upsampler.conv\n"
        )
        path = saved(renamed, tmp_path / "a.pth")
        with pytest.raises(InputError, match="not the weights of imdn"):
            import_checkpoint(path, "imdn", 2)
        network = import_checkpoint(path, "imdn", 2, layouts=[layout])
        assert torch.equal(network.state_dict()["stem.conv.bias"], imdn["fea_conv.bias"])
        assert network.architecture.value_range == 255
        assert network.architecture.mean == (0.5, 0.5, 0.5)

    def test_names_of_numbers_are_free(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("keys: {'a{leaf}.b{leaf}.{n_leaf+1}': 'x.{n_leaf}.{leaf}'}\n")
        assert KeyMap.load(path).ours("a3.b3.7.bias") == "x.6.3.bias"
        assert KeyMap.load(path).ours("a3.b4.7.bias") is None

    def test_a_number_without_an_end(self) -> None:
        rfdn = next(one for one in key_maps() if one.name == "rfdn")
        assert rfdn.ours(f"B{'9' * 100_000}.c2_d.bias") is None
        assert rfdn.ours("B\N{SUPERSCRIPT ONE}.c2_d.bias") is None

    def test_numbers_from_one_do_not_reach_below(self) -> None:
        rfdn = next(one for one in key_maps() if one.name == "rfdn")
        assert rfdn.ours("B1.c2_d.bias") == "blocks.0.distill.1.bias"
        assert rfdn.ours("B0.c2_d.bias") is None
        assert rfdn.ours("B1.c2_d.running_mean") is None
        assert rfdn.ours("xB1.c2_d.bias") is None

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("keys: {a: b}\nkind: x\n", "unknown field 'kind'"),
            ("title: x\n", "no mapping 'keys'"),
            ("keys: {'B{i+1}.c': 'blocks.{j}.fuse'}\n", "the same numbers on both sides"),
            ("keys: {'B{i+1}.c': 'blocks.{i}.{name}'}\n", "the same numbers on both sides"),
            ("keys: {'B{i+1}.c': 'blocks.{i.real}'}\n", "may have {name} in braces, on the left"),
            ("keys: {'B{i+1}.c': 'blocks.{i:>999999999}'}\n", "may have {name} in braces, on the"),
            ("keys: {'B{i+1}.c': 'blocks.{i+1}'}\n", "may have {name} in braces, on the left"),
            ("keys: {'B{i+1}.c': 'blocks.{i}{'}\n", "may have {name} in braces, on the left"),
            ("keys: {'B{i+x}.c': 'blocks.0'}\n", "may have {name} in braces, on the left"),
            ("keys: {'B{1}.c': 'blocks.{1}'}\n", "may have {name} in braces, on the left"),
            ("keys: {'{a}{b}{c}{d}{e}': '{a}{b}{c}{d}{e}'}\n", "has 5 numbers; expected 4 at most"),
            ("- a\n", "expected a YAML mapping"),
        ],
    )
    def test_bad_layout(self, text: str, message: str, tmp_path: Path) -> None:
        path = tmp_path / "bad.yaml"
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            KeyMap.load(path)


def test_published_files_import_and_travel(sr_data: Path, tmp_path: Path) -> None:
    for file, name, scale, params in [
        ("RFDN_AIM.pth", "e_rfdn", 4, 433_448),
        ("IMDN_x2.pth", "imdn", 2, 694_404),
        ("RLFN_x4.pth", "rlfn", 4, 317_218),
        ("SPAN28_x4.pth", "span", 4, 150_688),
        ("DISP_x4.pth", "disp", 4, 163_792),
        ("SPANV2_x4.pth", "spanv2", 4, 139_104),
    ]:
        found = find_checkpoint(sr_data / "checkpoints" / file)
        assert (found.preset, found.architecture) == (name, preset(name, scale))
        network = found.network()
        assert sum(p.numel() for p in network.parameters()) == params
        save_weights(network, tmp_path / "net.safetensors")
        again = load(tmp_path / "net.safetensors")
        assert again.architecture == network.architecture
        image = torch.rand(1, 3, 17, 16)
        with torch.inference_mode():
            assert torch.equal(network(image), again(image))
