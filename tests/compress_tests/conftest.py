"""Small networks and photos for the tests of compression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.quantize import Quantized, QuantizeOptions, quantize
from nas.data import Dataset, Photo
from nas.data.embedded import embedded_photos
from search_spaces import Architecture, Network, build, save_weights
from tests.compress_tests.quantized import Made, small, tiny

Tiny = Callable[..., Network]


@pytest.fixture(scope="session")
def tiny_network() -> Tiny:
    """Makes networks of distilling blocks, x2, 16 channels; blocks are set by keywords."""

    def make(*, channels: int = 16, scale: int = 2, seed: int = 0, **block: Any) -> Network:
        options = {"kind": "distillation", "repeat": 2, "stages": 3, "distillation": "fdc"}
        options |= {"distilled": 8, **block}
        data = {"scale": scale, "channels": channels, "image_skip": "linear", "blocks": [options]}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = build(Architecture.from_dict(data)).eval()
            # With an image skip the last layer is 0 at first: all fresh networks were equal.
            for weights in network.upsampler.parameters():
                torch.nn.init.normal_(weights, std=0.05)
        return network

    return make


@pytest.fixture(scope="session")
def small_photos() -> Dataset:
    """Four photos of 48x48 px, the last one for validation."""
    photos = tuple(Photo(f"{k}.png", pixels) for k, pixels in enumerate(blobs(4)))
    return Dataset("made", 2, photos[:3], {"validation": photos[3:]}, "0" * 16, {})


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as files in a folder."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("photos")
    for k, pixels in enumerate(blobs(4)):
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


@pytest.fixture(scope="session")
def photos() -> tuple[list[Photo], list[Photo]]:
    """Parts of the package's photos, to train and to validate on."""
    train, validation = embedded_photos()
    return small(train[:3]), small(validation)


@pytest.fixture(scope="session")
def made(
    tmp_path_factory: pytest.TempPathFactory,
    photos: tuple[list[Photo], list[Photo]],
    exports_once: None,
) -> Made:
    """A network and what quantising it came to; read only."""
    folder, network = tmp_path_factory.mktemp("quantize"), tiny()
    save_weights(network, folder / "net.safetensors")
    options = QuantizeOptions(crops=3, max_drop_db=None, lr_size=(16, 16), rounds=1)
    result = quantize(network, *photos, folder / "net.onnx", options=options)
    return Made(network, folder, result)


def blobs(count: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Images of coloured squares, the same every time."""
    rng = np.random.default_rng(0)
    coarse = [rng.integers(0, 256, (12, 12, 3), dtype=np.uint8) for _ in range(count)]
    return [np.kron(one, np.ones((4, 4, 1), np.uint8)) for one in coarse]


def made_up_int8(
    _network: Network, _train: Any, _validation: Any, path: Path, *, changes: Any = None, **_: Any
) -> Quantized:
    """In place of `compress.quantize.quantize`: a file that is smaller and faster."""
    path.write_bytes(b"graph")
    good = Quantized(
        path, 30.1, 30.0, 0.9, 0.89, 10.0, 4.0, 1000, 300, "minmax", (("minmax", 30.0),), ("a",), 12
    )
    return replace(good, **(changes or {}))


def failing(error: Exception) -> Callable[..., Any]:
    """A function that raises it."""

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise error

    return fail
