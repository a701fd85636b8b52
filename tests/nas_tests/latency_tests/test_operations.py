"""What a network is said to do is what it does."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from nas.latency.device import this_device
from nas.latency.measure import measure_batch
from nas.latency.operations import operations
from nas.latency.samples import random_networks
from search_spaces import Architecture, Space, folded, preset, preset_names, price

LR = (15, 18)


@pytest.mark.parametrize("name", preset_names())
def test_convolutions_are_those_of_the_price(name: str) -> None:
    arch = preset(name, 4)
    assert sum(one.macs for one in operations(arch, LR)) == price(arch, lr=LR).macs
    assert sum(one.kind.count("convolution") for one in operations(arch, LR)) > 2


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_operator_is_timed(dtype: str) -> None:
    device = this_device(place="cpu", runtime="torch", dtype=dtype, threads=1, lr_size=LR, scale=4)
    linear = Architecture.from_dict(preset("rlfn", 4).to_dict() | {"image_skip": "linear"})
    nets = [preset("imdn", 4), linear]
    for arch, one in zip(nets, measure_batch(nets, device, rounds=1, warmup=0), strict=True):
        assert len(one.operations_ms) == len(operations(arch, LR, dtype))
        assert min(one.operations_ms) > 0
        assert one.latency_ms > 0 < one.reference_ms


def test_kinds_of_convolutions() -> None:
    kinds = {one.kind for one in operations(preset("e_rfdn_bs", 4), LR)}
    assert {"convolution 3x3 depthwise", "convolution 1x1", "convolution 3x3 stride 2"} <= kinds
    kinds = {one.kind for one in operations(preset("e_rfdn", 4), LR)}
    assert {"leaky_relu_", "cat", "sigmoid", "mul", "pixel_shuffle"} <= kinds
    deep = operations(preset("idn", 4), LR)
    (last,) = (one for one in deep if one.kind.startswith("transposed"))
    assert (last.kind, last.channels_out, last.pixels) == (
        "transposed convolution 17x17 stride 4", 1, 16 * LR[0] * LR[1],
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("colors", "kind"), [(3, " depthwise"), (1, "")])
def test_a_linear_image_skip_is_a_convolution(dtype: str, colors: int, kind: str) -> None:
    arch = Architecture.from_dict(
        {"scale": 4, "channels": 8, "blocks": ["spab"], "image_skip": "linear", "colors": colors}
    )
    found = operations(arch, LR, dtype)
    assert sum(one.macs for one in found) == price(arch, lr=LR).macs
    (skip,) = (one for one in found if one.kind == f"convolution 5x5{kind}")
    assert (skip.channels_in, skip.channels_out) == (colors, 16 * colors)
    (pad,) = (one for one in found if one.kind == "replication_pad2d")
    assert pad.pixels == (LR[0] + 4) * (LR[1] + 4)


def test_random_networks_differ_and_stay_below_a_limit() -> None:
    space = Space.load("distillation")
    some = list(islice(random_networks(space, 4, 0), 12))
    assert len({arch.hash for arch in some}) == 12
    assert some == list(islice(random_networks(space, 4, 0), 12))
    assert all(folded(arch) == arch for arch in some)
    small = islice(random_networks(space, 4, 0, most_params=1e5), 12)
    assert max(price(arch).params for arch in small) <= 1e5
    params = [price(arch).params for arch in some]
    assert max(params) > 5 * min(params)


def test_a_small_space_comes_to_an_end() -> None:
    assert 8 < len(list(random_networks(Space.load("tiny"), 4, 0))) < 500


def test_onnx_runtime_shows_no_operators_and_exports_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    device = this_device(
        place="cpu", runtime="onnxruntime", dtype="float32", threads=1, lr_size=LR, scale=4
    )
    assert [package for package, _ in device.versions] == ["torch", "onnxruntime"]
    arch = next(random_networks(Space.load("tiny"), 4, 0))
    (one,) = measure_batch([arch], device, rounds=1, warmup=0, exports=tmp_path)
    assert (one.operations_ms, [path.suffix for path in tmp_path.iterdir()]) == ((), [".onnx"])
    monkeypatch.setattr("nas.deploy.onnx_file.export_onnx", None)
    (again,) = measure_batch([arch], device, rounds=1, warmup=0, exports=tmp_path)
    assert again.latency_ms > 0
