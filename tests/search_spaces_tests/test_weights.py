"""Weights files: what goes in comes out, and nothing else is taken."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from search_spaces import Architecture, InputError, Network, build, load, preset, save_weights
from search_spaces.weights import CONFIG, WEIGHTS

PLAIN = {
    "scale": 2,
    "channels": 8,
    "mean": [0.4, 0.5, 0.6],
    "value_range": 255,
    "image_skip": "bilinear",
    "blocks": [
        {
            "kind": "distillation",
            "stages": 3,
            "distillation": "fdc",
            "distilled": [2, 5],
            "residual": "weighted",
            "attention": {"kind": "esa", "width": 3},
        },
        "spab",
    ],
}


@pytest.fixture
def network() -> Network:
    made = build(Architecture.from_dict(PLAIN))
    with torch.no_grad():
        for p in made.parameters():
            p.normal_(std=0.1)
    return made


@pytest.fixture
def path(tmp_path: Path, network: Network) -> Path:
    save_weights(network, tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def rewritten(path: Path, change: Any = None, **metadata: str) -> Path:
    """The file with its tensors changed in place by ``change``."""
    with safe_open(path, framework="pt") as file:
        known = dict(file.metadata())
    tensors = load_file(path)
    if change is not None:
        change(tensors)
    save_file(tensors, path, metadata={**known, **metadata})
    return path


class TestRoundTrip:
    def test_is_equal_to_the_bit(self, network: Network, path: Path) -> None:
        again = load(path)
        assert again.architecture == network.architecture
        assert not again.training
        state = again.state_dict()
        assert state.keys() == network.state_dict().keys()
        assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())
        image = torch.rand(1, 3, 17, 16)
        with torch.no_grad():
            assert torch.equal(again(image), network.eval()(image))

    def test_again_and_from_text(self, path: Path, tmp_path: Path) -> None:
        again = tmp_path / "again.safetensors"
        save_weights(load(str(path)), str(again))
        first, second = load_file(path), load_file(again)
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
        assert again.stat().st_size == path.stat().st_size

    @pytest.mark.parametrize("name", ["rlfn", "idn", "lmswn", "drn", "mrdn"])
    def test_presets(self, name: str, tmp_path: Path) -> None:
        made = build(preset(name, 3))
        save_weights(made, tmp_path / "w.safetensors")
        state = load(tmp_path / "w.safetensors").state_dict()
        assert all(torch.equal(state[key], t) for key, t in made.state_dict().items())

    def test_the_file_carries_its_architecture(self, network: Network, path: Path) -> None:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        assert metadata["format"] == "pt"
        assert Architecture.from_dict(json.loads(metadata["architecture"])) == network.architecture

    def test_other_layouts_of_memory(self, network: Network, tmp_path: Path) -> None:
        save_weights(
            network.to(memory_format=torch.channels_last),  # type: ignore[call-overload]
            tmp_path / "w.safetensors",
        )
        state = load(tmp_path / "w.safetensors").state_dict()
        assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())


def remove(name: str) -> Any:
    return lambda tensors: tensors.pop(name)


def put(name: str, value: torch.Tensor) -> Any:
    return lambda tensors: tensors.update({name: value})


def poison(value: float) -> Any:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["stem.conv.weight"][0, 0, 0, 0] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("stem.conv.bias"), r"missing \['stem.conv.bias'\], unused \[\]"),
        (put("extra", torch.zeros(1)), r"missing \[\], unused \['extra'\]"),
        (put("stem.conv.bias", torch.zeros(9)), r"stem.conv.bias is \(9,\), expected \(8,\)"),
        (poison(float("nan")), "stem.conv.weight holds values that are not finite"),
        (poison(float("inf")), "stem.conv.weight holds values that are not finite"),
        (
            put("stem.conv.bias", torch.full((8,), 1e300, dtype=torch.float64)),
            "stem.conv.bias holds values that are not finite",
        ),
        *(
            (
                put("stem.conv.bias", torch.zeros(8).to(dtype)),
                rf"stem\.conv\.bias is {name}, expected a floating-point tensor: F16, BF16, F",
            )
            for dtype, name in (
                (torch.float8_e4m3fn, "F8_E4M3"),
                (torch.float8_e5m2, "F8_E5M2"),
                (torch.int64, "I64"),
                (torch.uint8, "U8"),
                (torch.bool, "BOOL"),
                (torch.complex64, "C64"),
            )
        ),
    ],
)
def test_other_weights(path: Path, change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(rewritten(path, change))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    "said",
    [
        "not json",
        "[1, 2]",
        "null",
        '{"scale": 2}',
        json.dumps({**PLAIN, "chanels": 2}),
        "[" * 100_000,
        "9" * 100_000,
    ],
)
def test_an_architecture_that_is_none(path: Path, said: str) -> None:
    with pytest.raises(InputError, match="its architecture is not valid") as caught:
        load(rewritten(path, architecture=said))
    assert "\n" not in str(caught.value)


def test_a_promise_of_a_giant_is_not_built(path: Path) -> None:
    """A few bytes could ask for more memory than there is."""
    giant = {"scale": 4, "channels": 4096, "blocks": [{"kind": "spab", "repeat": 256}]}
    with pytest.raises(InputError, match="not those of its architecture"):
        load(rewritten(path, architecture=json.dumps(giant)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(path: Path, dtype: torch.dtype) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors.update({name: one.to(dtype) for name, one in tensors.items()})

    before = load(path).state_dict()
    for name, tensor in load(rewritten(path, change)).state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, before[name].to(dtype).float())


class TestFiles:
    def said(self, path: Path) -> str:
        with pytest.raises(InputError) as caught:
            load(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.99])
    def test_truncated(self, path: Path, share: float) -> None:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        assert "cannot be read as weights" in self.said(path)

    def test_foreign(self, tmp_path: Path) -> None:
        foreign = tmp_path / "w.safetensors"
        foreign.write_bytes(b"\x89PNG\r\n\x1a\n" * 100)
        assert "expected a .safetensors file" in self.said(foreign)
        torch.save({"a": torch.zeros(1)}, foreign)
        assert "expected a .safetensors file" in self.said(foreign)

    def test_without_architecture(self, tmp_path: Path) -> None:
        save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
        assert "no architecture in its metadata" in self.said(tmp_path / "w.safetensors")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "w.safetensors")
        assert "(a named pipe, not a regular file)" in self.said(tmp_path / "w.safetensors")

    def test_a_loop_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "w.safetensors").symlink_to("w.safetensors")
        assert "(Too many levels of symbolic links)" in self.said(tmp_path / "w.safetensors")

    def test_missing_and_folder(self, tmp_path: Path) -> None:
        assert "cannot be read as weights" in self.said(tmp_path / "none.safetensors")
        assert "found no weights.safetensors in it" in self.said(tmp_path)


class TestSaving:
    @pytest.mark.parametrize("error", [OSError(28, "No space left on device")])
    def test_a_full_disk_leaves_the_old_file(
        self, path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = path.read_bytes()

        def half(target: Path, _content: bytes) -> None:
            with target.open("wb") as file:
                file.write(before[: len(before) // 2])
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", half)
            with pytest.raises(InputError, match=r"cannot write .* is the disk full"):
                save_weights(build(Architecture.from_dict(PLAIN)), path)
        assert path.read_bytes() == before
        assert [p.name for p in path.parent.iterdir()] == [path.name]

    def test_into_a_folder_that_cannot_be(self, network: Network, path: Path) -> None:
        with pytest.raises(InputError, match="cannot write"):
            save_weights(network, path / "w.safetensors")

    def test_makes_the_folder(self, network: Network, tmp_path: Path) -> None:
        save_weights(network, tmp_path / "a" / "b" / "w.safetensors")
        assert load(tmp_path / "a" / "b" / "w.safetensors").architecture == network.architecture


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        network = build(preset("rlfn", 2))
        save_weights(network, tmp_path / WEIGHTS)
        network.architecture.save(tmp_path / CONFIG)
        return tmp_path

    def test_loads(self, folder: Path) -> None:
        assert load(folder).architecture == preset("rlfn", 2)
        (folder / CONFIG).unlink()
        assert load(folder).architecture == preset("rlfn", 2)

    def test_a_config_of_another_network(self, folder: Path) -> None:
        preset("rlfn", 3).save(folder / CONFIG)
        with pytest.raises(InputError, match=r"is another network than that of weights"):
            load(folder)

    def test_without_weights(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"found no weights\.safetensors in it"):
            load(tmp_path)
