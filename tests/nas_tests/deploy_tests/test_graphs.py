"""Exported graphs give what the network gives, at every size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nas.deploy.onnx_file import INPUT, OUTPUT, export_onnx, open_session
from nas.deploy.parity import PARITY_SIZES, TOLERANCE, check_parity
from nas.deploy.portable import portable
from nas.deploy.torchscript import export_torchscript
from search_spaces import Architecture, Network
from search_spaces.attention.esa import LEAST_SIDE_PX, continued
from search_spaces.errors import InputError, NotPossible
from tests.nas_tests.deploy_tests.conftest import lively, make

SIZES = ((1, 1, 1), (1, 14, 15), (3, 8, 61), (1, 97, 33))


VARIED: dict[str, Any] = {
    "blocks": [
        {"kind": "distillation", "stages": 2, "distillation": "split", "distilled": 2,
         "convolution": "bsconv", "attention": {"kind": "cca", "width": 2}},
        {"kind": "spab"},
    ],
    "scale": 2, "colors": 1, "mean": [0.4], "upsampler": "deconv", "image_skip": "bicubic",
    "fusion": "chain", "activation": "silu",
}  # fmt: skip


def sizes_are_hard() -> bool:
    sides = {side for _, *size in PARITY_SIZES for side in size}
    return min(sides) < LEAST_SIDE_PX < max(sides) and any(side % 2 for side in sides)


def test_checked_sizes_are_hard() -> None:
    assert sizes_are_hard()


LUMA: dict[str, Any] = {
    "colors": 1, "scale": 4, "image_skip": {"kind": "linear", "kernel": 7}, "blocks": ["spab"],
}  # fmt: skip
ANCHORED: dict[str, Any] = {
    "blocks": [{"kind": "plain", "convolutions": 2, "residual": "before"}], "fusion": "span",
    "activation": "prelu", "mean": [0.4, 0.5, 0.6], "restored": False, "image_skip": "anchor",
    "value_range": 1,
}  # fmt: skip
NEAR: dict[str, Any] = {
    "stem": {"kind": "chain", "convolutions": 3}, "blocks": ["spab_v2"], "fusion": "sum",
    "upsampler": "near", "value_range": 1, "activation": "relu",
}  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "esa": {"image_skip": "linear"}, "varied": VARIED, "luma": LUMA, "anchored": ANCHORED,
    "near": NEAR,
}  # fmt: skip


@pytest.fixture(scope="module", params=list(FIELDS))
def network(request: pytest.FixtureRequest) -> Network:
    return lively(**FIELDS[request.param])


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (15, 15), (31, 18)])
def test_portable_form_is_the_same_network(size: tuple[int, int]) -> None:
    network = make()
    image = torch.rand(1, 3, *size)
    assert torch.equal(portable(network)(image), network(image))
    assert torch.equal(portable(network, continued)(image), network(image))


def test_activations_of_the_portable_form_overwrite_nothing_unless_told() -> None:
    network = make()
    for in_place in (False, True):
        ours = [
            one.inplace for one in portable(network, in_place=in_place).modules()
            if hasattr(one, "inplace")
        ]  # fmt: skip
        assert ours
        assert set(ours) == {in_place}


def test_onnx_takes_any_size(network: Network, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "net.onnx"
    parity = export_onnx(network, path)
    assert 0 <= parity.difference <= min(1e-5, TOLERANCE)
    assert parity.sizes == PARITY_SIZES
    # By our own check, and by one that shares nothing with it.
    check_parity(network, open_session(path, threads=1), sizes=SIZES)
    image = torch.rand(2, network.architecture.colors, 19, 22)
    found = open_session(path)(image.numpy())
    np.testing.assert_allclose(found, network(image).detach().numpy(), rtol=0, atol=1e-4)
    model = onnx.load(path)
    assert [one.name for one in model.graph.input] == [INPUT]
    assert [one.name for one in model.graph.output] == [OUTPUT]
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert Architecture.from_dict(json.loads(said["architecture"])) == network.architecture
    assert said["scale"] == str(network.architecture.scale)
    assert said["colors"] == str(network.architecture.colors)
    assert "0..1" in said["value_range"]
    assert not any(node.metadata_props for node in model.graph.node)


def test_torchscript_takes_any_size(network: Network, tmp_path: Path) -> None:
    import warnings

    path = tmp_path / "net.pt"
    parity = export_torchscript(network, path)
    assert 0 <= parity.difference <= TOLERANCE
    extra = {"metadata.json": ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        loaded: Any = torch.jit.load(str(path), _extra_files=extra)
    for n, height, width in SIZES:
        image = torch.rand(n, network.architecture.colors, height, width)
        with torch.no_grad():
            assert (loaded(image) - network(image)).abs().max() < 1e-4
    said = json.loads(extra["metadata.json"])
    assert said["architecture_hash"] == network.architecture.hash


def test_a_graph_that_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = make()

    def other(given: Network, *continued: Any, **how: Any) -> Network:
        copied = portable(given, *continued, **how)
        with torch.no_grad():
            next(copied.parameters()).add_(0.01)
        return copied

    monkeypatch.setattr("nas.deploy.torchscript.portable", other)
    with pytest.raises(InputError, match="differs from the network by"):
        export_torchscript(network, tmp_path / "net.pt")
    assert not list(tmp_path.iterdir())


def test_parity_sees_shapes_and_nan() -> None:
    network = make()
    with pytest.raises(InputError, match="it gives"):
        check_parity(network, lambda image: image)
    with pytest.raises(InputError, match="differs from the network by nan"):
        check_parity(
            network,
            lambda image: np.full((len(image), 3, *(3 * s for s in image.shape[2:])), np.nan, "f4"),
        )


def test_a_part_that_cannot_be_exported(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")

    class Wild(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1 if x.sum() > 0 else x

    network = make(**VARIED)
    network.blocks[1] = Wild()
    with pytest.raises(NotPossible, match="cannot be exported to ONNX"):
        export_onnx(network, tmp_path / "net.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(InputError, match="ONNX Runtime cannot load it"):
        open_session(tmp_path / "bad.onnx")


@pytest.mark.parametrize(
    "lacking", [ImportError("no onnxscript"), OSError("no space"), MemoryError()]
)
def test_what_the_machine_lacks_says_nothing_of_the_network(
    lacking: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")

    def export(*_arguments: Any, **_options: Any) -> None:
        raise RuntimeError("failed to export") from lacking

    monkeypatch.setattr(torch.onnx, "export", export)
    with pytest.raises(InputError, match="cannot be exported to ONNX") as caught:
        export_onnx(make(**VARIED), tmp_path / "net.onnx")
    assert not isinstance(caught.value, NotPossible)
