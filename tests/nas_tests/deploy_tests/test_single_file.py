"""Networks written out as plain Python: the very same network, with nothing but torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nas.deploy.parity import TOLERANCE, check_parity
from nas.deploy.single_file import class_name_of, export_single_file, run_source, state_of
from nas.deploy.source_code import source_code
from nas.latency.samples import random_networks
from search_spaces import Architecture, Network, Space, build, preset, preset_names
from search_spaces.attention.pa import Pointwise
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Outcome

IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n\n"
CLOSE = 1e-5
SIZES = ((1, 1, 1), (2, 7, 20), (1, 17, 15))
"""Of the parity that every export is checked for, what is hard and quick."""


def lively(arch: Architecture) -> Network:
    """With weights that let every part show in the output."""
    torch.manual_seed(0)
    network = build(arch).eval()
    for weight in network.parameters():
        nn.init.normal_(weight, std=0.1)
    return network


def same(network: Network) -> None:
    text = IMPORTS + source_code(network, "Model")
    parity = check_parity(network, run_source(text, "Model", state_of(network)), sizes=SIZES)
    assert parity.difference <= CLOSE


@pytest.mark.parametrize("name", preset_names())
def test_presets(name: str) -> None:
    same(lively(preset(name, 4)))


@given(seed=st.integers(0, 10_000), space=st.sampled_from(("distillation", "wide")))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_networks(seed: int, space: str) -> None:
    drawn = random_networks(Space.load(space), 3, seed, most_params=1.5e5)
    same(lively(next(drawn)))


VARIED: dict[str, Any] = {
    "scale": 2, "colors": 1, "mean": [0.4], "value_range": 255, "channels": 6, "fusion": "chain",
    "upsampler": "deconv", "image_skip": "bicubic", "activation": "gelu",
    "blocks": [
        {"kind": "distillation", "stages": 3, "distillation": "split", "distilled": 2,
         "residual": "weighted", "distilled_attention": "pa", "convolution": "asymmetric"},
        {"kind": "distillation", "stages": 2, "distillation": "none", "convolution": "rep"},
        {"kind": "spab", "inner": [4, 8]},
    ],
}  # fmt: skip


def test_every_sort_of_part() -> None:
    same(lively(Architecture.from_dict(VARIED)))


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("training", [False, True])
def test_a_linear_image_skip(colors: int, training: bool) -> None:
    arch = {"scale": 3, "colors": colors, "channels": 4, "blocks": ["spab"]}
    skip = {"kind": "linear", "kernel": 7}
    network = lively(Architecture.from_dict({**arch, "image_skip": skip}))
    text = source_code(network, "Model", training=training)
    assert 'F.pad(x, (3, 3, 3, 3), mode="replicate")' in text
    assert "autocast" not in text
    parity = check_parity(network, run_source(IMPORTS + text, "Model", state_of(network)))
    assert parity.difference <= CLOSE


def test_the_file_needs_torch_alone(tmp_path: Path) -> None:
    network = lively(preset("rfdn", 4))
    parity = export_single_file(network, tmp_path / "team07_tiny.py")
    assert parity.difference <= CLOSE <= TOLERANCE
    text = (tmp_path / "team07_tiny.py").read_text()
    tree = ast.parse(text)
    modules = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    modules |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert modules == {"torch", "torch.nn"}
    assert network.architecture.hash in text
    assert "Written out by nas-sr" in text
    assert max(map(len, text.splitlines())) <= 110
    image = torch.rand(1, 3, 17, 23)
    np.save(tmp_path / "in.npy", image.numpy())
    code = (
        "import numpy as np, torch, runpy, sys\n"
        "model = runpy.run_path('team07_tiny.py')['Team07Tiny']()\n"
        "model.load_state_dict(torch.load('team07_tiny.pth', weights_only=True))\n"
        "out = model.eval()(torch.from_numpy(np.load('in.npy')))\n"
        "np.save('out.npy', out.detach().numpy())\n"
        "assert not any(name.startswith(('nas', 'search_spaces')) for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True, timeout=100)
    with torch.no_grad():
        difference = np.abs(np.load(tmp_path / "out.npy") - network(image).numpy()).max()
    assert difference <= CLOSE


def test_the_docstring_holds_the_architecture(tmp_path: Path) -> None:
    network = lively(preset("imdn", 4))
    export_single_file(network, tmp_path / "net.py")
    told = ast.get_docstring(ast.parse((tmp_path / "net.py").read_text())) or ""
    config = told.partition("reads it:\n\n")[2]
    assert Architecture.from_dict(yaml.safe_load(config)) == network.architecture


@pytest.mark.parametrize(
    ("stem", "name"),
    [("team07_tiny", "Team07Tiny"), ("4x", "Network4x"), ("--", "Network"), ("f", "NetworkF")],
)
def test_names(stem: str, name: str) -> None:
    assert class_name_of(stem) == name


class Branching(Pointwise):
    """An attention whose forward asks for values."""

    def forward(self, x: Tensor) -> Tensor:
        """A branch that no list of statements has."""
        y: Tensor = self.conv(x)
        return x if y.mean() > 0 else y


@pytest.fixture
def branching() -> Network:
    block = {"kind": "distillation", "stages": 2, "distillation": "none", "attention": "pointwise"}
    network = build(Architecture.from_dict({"scale": 2, "channels": 4, "blocks": [block]}))
    (attention,) = (module for module in network.modules() if type(module) is Pointwise)
    attention.__class__ = Branching
    return network


def test_a_part_that_branches_on_values(branching: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Branching: its forward can't be written out") as caught:
        export_single_file(branching, tmp_path / "net.py")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_wrong_source_is_found_out() -> None:
    network = lively(preset("rlfn", 4))
    text = IMPORTS + source_code(network, "Model")
    for wrong, told in (
        (text.replace("inplace=True", "inplace=True) * (2"), "differs from the network"),
        (text.replace("nn.Conv2d(46", "nn.Conv2d(47"), "doesn't run"),
        (text.replace("class Model", "class Mode"), "doesn't run"),
    ):
        with pytest.raises(InputError, match=told):
            check_parity(network, run_source(wrong, "Model", state_of(network)))


Command = Callable[..., Outcome]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    from search_spaces import save_weights

    save_weights(lively(preset("rlfn", 2)), tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-o", "net.txt", "--format", "ntire"], "expected a name that ends in .py"),
        (["-o", "net"], "(basicsr, trainner, neosr, folder make a folder)"),
        (["-o", "net.py", "--format", "basicsr"], "is ntire by its name, but --format is basicsr"),
        (["-o", "/proc/nothing", "--format", "folder"], "cannot write /proc/nothing"),
    ],
)
def test_bad_options(options: list[str], told: str, command: Command, net: Path) -> None:
    outcome = command("export", net, *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
