"""Networks as the files of a Compact or a SPAN, as spandrel knows them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from nas.deploy.parity import check_parity
from nas.deploy.spandrel import file as spandrel_file
from nas.deploy.spandrel.file import (
    KNOWN,
    export_spandrel,
    open_spandrel,
    spandrel_version,
    state_for_spandrel,
)  # fmt: skip
from search_spaces import Architecture, Network, preset, preset_names, save_weights
from search_spaces.errors import InputError
from search_spaces.training_form import collapsed
from tests.nas_tests.conftest import Outcome
from tests.nas_tests.deploy_tests.conftest import compact, shaken

CLOSE = 1e-5
SPAN: dict[str, Any] = {
    "value_range": 255, "mean": [0.4488, 0.4371, 0.404], "restored": False, "channels": 8,
    "activation": "silu", "fusion": "span", "blocks": [{"repeat": 5, "kind": "spab"}],
}  # fmt: skip


def span(**fields: Any) -> Network:
    return shaken(Architecture.from_dict({"scale": 2, **SPAN, **fields}))


NETWORKS: dict[str, Callable[[], Network]] = {
    "compact x2": lambda: compact(scale=2),
    "compact x3": compact,
    "compact x1": lambda: compact(scale=1),
    "compact x4, nearest": lambda: compact(scale=4, image_skip="nearest"),
    "slopes that are not learned": lambda: compact(
        activation={"kind": "leaky_relu", "slope": 0.1}
    ),
    "no slopes, and another width before the shuffle": lambda: compact(
        activation="relu", upsampler={"kind": "pixelshuffle", "inner": 9}
    ),
    "no activation behind some convolutions, no biases": lambda: compact(
        stem={"kind": "conv", "bias": False},
        blocks=[{"kind": "plain", "convolutions": 3, "pointwise_ends": True, "inner": [3, 5]},
                {"kind": "plain", "last_activation": False}],
    ),
    "a chain before it, a range of its own": lambda: compact(
        stem={"kind": "chain", "convolutions": 2}, value_range=255
    ),
    "re-parameterised": lambda: compact(blocks=[{"kind": "plain", "convolution": "rep"}]),
    "span x1": lambda: span(scale=1),
    "span x2": span,
    "span x3": lambda: span(scale=3),
    "span x4": lambda: span(scale=4),
    "span, pruned within its blocks": lambda: span(
        blocks=[{"repeat": 5, "kind": "spab", "inner": [5, 7]}]
    ),
    "span without a mean": lambda: span(mean=None, value_range=1, restored=True),
    "span whose output is restored": lambda: span(restored=True),
    "span, range 1": lambda: span(value_range=1),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_the_file_gives_what_the_network_gives(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spandrel_file, "spandrel_version", lambda: "")
    network = NETWORKS[name]()
    parity = export_spandrel(network, tmp_path / "net.safetensors")
    assert (parity.difference <= CLOSE, parity.by) == (True, "")
    assert check_parity(network, open_spandrel(tmp_path / "net.safetensors")).difference <= CLOSE


@pytest.mark.parametrize("name", NETWORKS)
def test_spandrel_gives_it_too(name: str, tmp_path: Path) -> None:
    if not (version := spandrel_version()):
        pytest.skip("the extra spandrel, or a torchvision that fits the torch, is not installed")
    from spandrel import ModelLoader

    network = NETWORKS[name]()
    parity = export_spandrel(network, tmp_path / "net.safetensors")
    assert (parity.difference <= CLOSE, parity.by) == (True, f"spandrel {version}")
    made = ModelLoader("cpu").load_from_file(tmp_path / "net.safetensors")
    assert made.architecture.id == ("SPAN" if "span" in name else "Compact")
    assert made.scale == network.architecture.scale
    image = torch.rand(1, 3, 21, 12)
    with torch.inference_mode():
        torch.testing.assert_close(made.model.eval()(image), network(image), rtol=CLOSE, atol=CLOSE)


def test_keys_and_shapes_of_a_compact() -> None:
    state = state_for_spandrel(compact(scale=4))
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    assert shapes == {
        "body.0.weight": (7, 3, 3, 3), "body.0.bias": (7,), "body.1.weight": (7,),
        "body.2.weight": (7, 7, 3, 3), "body.2.bias": (7,), "body.3.weight": (7,),
        "body.4.weight": (7, 7, 3, 3), "body.4.bias": (7,), "body.5.weight": (7,),
        "body.6.weight": (48, 7, 3, 3), "body.6.bias": (48,),
    }  # fmt: skip


def test_keys_and_shapes_of_a_span() -> None:
    state = state_for_spandrel(span())
    places = ["conv_1", "conv_2", *(f"block_{n}.c{k}_r" for n in range(1, 7) for k in (1, 2, 3))]
    inside = ("sk", "conv.0", "conv.1", "conv.2", "eval_conv")
    layers = {"conv_cat", "upsampler.0", *(f"{p}.{name}" for p in places for name in inside)}
    assert state.keys() == {f"{name}.{leaf}" for name in layers for leaf in ("weight", "bias")}
    shapes = [tuple(state[f"conv_1.{name}.weight"].shape) for name in inside]
    assert shapes == [(8, 3, 1, 1), (6, 3, 1, 1), (16, 6, 3, 3), (8, 16, 1, 1), (8, 3, 3, 3)]
    assert "no_norm" in state_for_spandrel(span(mean=None, value_range=1, restored=True))


def test_branches_are_the_kernel_to_the_bit_and_can_be_trained() -> None:
    state = state_for_spandrel(span())
    without = {key: tensor for key, tensor in state.items() if ".eval_conv." not in key}
    for key, tensor in collapsed(without).items():
        assert torch.equal(tensor, state[key])
    half, c = state["block_1.c1_r.conv.1.weight"], 8
    # With a half of zeros between zeros, nothing in there would ever get a gradient.
    assert torch.equal(half[:c, :c], half[c:, c:])


def test_presets_that_are_known() -> None:
    archs = {name: preset(name, 3) for name in preset_names()}
    for name in ("rfdn", *archs):
        # Of all with other blocks, one is enough.
        if name == "rfdn" or {block.kind for block in archs[name].blocks} <= {"plain", "spab"}:
            try:
                state_for_spandrel(shaken(archs[name]))
            except InputError:
                assert name not in KNOWN
            else:
                assert name in KNOWN


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: compact(image_skip="bicubic"), "no Compact (its image skip is bicubic"),
        (lambda: compact(mean=[0.5, 0.5, 0.5]), "no Compact (it subtracts a mean"),
        (lambda: compact(activation="gelu"), "no Compact (its activation is GELU"),
        (lambda: compact(blocks=[{"kind": "plain", "residual": "output"}]),
         "its blocks are plain with a residual, expected plain without"),
        (lambda: compact(blocks=[{"kind": "plain", "convolution": "bsconv"}]),
         "no plain convolution"),
        (lambda: compact(stem={"kind": "conv", "kernel": 5}), "a convolution is 5x5"),
        (lambda: compact(upsampler="deconv"), "its upsampler is deconv"),
        (lambda: span(blocks=[{"repeat": 4, "kind": "spab"}]), "it has 4 blocks before its fusion"),
        (lambda: span(image_skip="nearest"), "no SPAN (its image skip is nearest"),
        (lambda: span(mean=[0.5, 0.5, 0.5]), "no SPAN (its mean is [0.5, 0.5, 0.5]"),
        (lambda: span(activation="relu"), "no SPAN (its activation is relu, expected silu"),
    ],
)  # fmt: skip
def test_another_network_is_told_in_one_line(
    made: Callable[[], Network], told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        export_spandrel(made(), tmp_path / "net.safetensors")
    text = str(caught.value)
    assert told in text
    assert "the presets compact, abpn, span, span26 have one" in text
    assert "\n" not in text
    assert not list(tmp_path.iterdir())


def test_a_network_on_luma() -> None:
    with pytest.raises(InputError, match="on luma alone: choose --format onnx"):
        state_for_spandrel(compact(colors=1))


def test_a_wrong_state_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for made in (compact, span):
        network = made()
        state = state_for_spandrel(network)
        first = next(iter(state))
        wrong = {**state, first: state[first] + 1e-2}
        with monkeypatch.context() as patched:
            patched.setattr(spandrel_file, "state_for_spandrel", lambda _, made=wrong: made)
            with pytest.raises(InputError, match="differs from the network"):
                export_spandrel(network, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_spandrel_that_does_not_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, device: str) -> None:
            pass

        def load_from_state_dict(self, state: dict[str, torch.Tensor]) -> None:
            raise ValueError("unknown\nkeys")

    stand_in = SimpleNamespace(ModelLoader=Refusing, __version__="0.9")
    monkeypatch.setitem(sys.modules, "spandrel", stand_in)
    with pytest.raises(InputError, match=r"spandrel 0\.9 does not take the weights") as caught:
        export_spandrel(compact(), tmp_path / "net.safetensors")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_the_command(
    command: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spandrel_file, "spandrel_version", lambda: "")
    monkeypatch.chdir(tmp_path)
    network = compact()
    save_weights(network, "net.safetensors")
    options = ("export", "net.safetensors", "--format", "spandrel", "-o")
    outcome = command(*options, "for_chainner.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    assert load_file("for_chainner.safetensors").keys() == state_for_spandrel(network).keys()
    with safe_open("for_chainner.safetensors", "pt") as opened:
        assert opened.metadata()["nas_sr_architecture_hash"] == network.architecture.hash
    for name, told in (("net.onnx", "is onnx by its name"), ("net", "ends in .safetensors")):
        outcome = command(*options, name)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
        assert told in outcome.err
    # It is none of our own files.
    outcome = command("describe", "for_chainner.safetensors")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "holds no architecture" in outcome.err


def test_a_file_of_something_else(tmp_path: Path) -> None:
    save_weights(compact(), tmp_path / "ours.safetensors")
    with pytest.raises(InputError, match="expected the weights of a Compact or a SPAN"):
        open_spandrel(tmp_path / "ours.safetensors")
    (tmp_path / "text.safetensors").write_text("text")
    with pytest.raises(InputError, match=r"expected a \.safetensors file"):
        open_spandrel(tmp_path / "text.safetensors")
