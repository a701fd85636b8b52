"""Weights in safetensors files that carry their Architecture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from search_spaces.architecture import Architecture
from search_spaces.errors import InputError, WriteError
from search_spaces.files import atomic_path
from search_spaces.network import Network, build
from search_spaces.regular import open_regular

__all__ = ["CONFIG", "WEIGHTS", "load", "save_weights", "weights_to_bytes"]

CONFIG, WEIGHTS = "config.yaml", "weights.safetensors"
"""Names of a network's two files where it is a folder."""

_KEY = "architecture"
# As the format calls float16, bfloat16, float32 and float64.
_DTYPES = ("F16", "BF16", "F32", "F64")


def save_weights(network: Network, path: Path | str) -> None:
    """Writes the weights, with the Architecture in the file's metadata, whole or not at all.

    Raises:
        WriteError: the folder cannot be written, or the disk is full.
    """
    content = weights_to_bytes(network)
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        reason = error.strerror or error
        raise WriteError(f"cannot write {path}: {reason}; is the disk full?") from error


def weights_to_bytes(network: Network) -> bytes:
    """The content of the file that `save_weights` writes."""
    # A copy each: two names may share storage, and the file wants contiguous tensors.
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in network.state_dict().items()
    }
    return save(
        tensors, metadata={"format": "pt", _KEY: json.dumps(network.architecture.to_dict())}
    )


def load(path: Path | str) -> Network:
    """The network in a weights file or folder, in evaluation mode; the file alone is enough.

    Args:
        path: a .safetensors file, or a folder with one called `WEIGHTS`; a `CONFIG` beside it
            must be of the same network.

    Raises:
        InputError: not a safetensors file, one without an Architecture, or one whose
            tensors are not exactly those of its Architecture, not floating-point or not finite.
    """
    if Path(path).is_dir():
        return _of_folder(Path(path))
    try:
        # The library says of a file that it may not read that it is not there.
        open_regular(path).close()
        with safe_open(path, framework="pt") as file:
            architecture = _architecture(path, file.metadata() or {})
            # Without memory first: the file may promise more than it holds.
            with torch.device("meta"):
                expected = build(architecture).state_dict()
            _check(path, expected, {name: file.get_slice(name) for name in file.keys()})  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(
            f"{path}: cannot be read as weights ({reason}); expected a .safetensors file"
        ) from None
    for name, tensor in tensors.items():
        # In float32, as it will be used: a large double is none there.
        if not tensor.float().isfinite().all():
            raise InputError(f"{path}: {name} holds values that are not finite")
    network = build(architecture)
    network.load_state_dict(tensors)
    return network.eval()


def _architecture(path: Path | str, metadata: Mapping[str, str]) -> Architecture:
    if _KEY not in metadata:
        raise InputError(
            f"{path}: holds no architecture in its metadata; expected a file that this "
            f"program wrote (published checkpoints have to be imported first)"
        )
    try:
        return Architecture.from_dict(json.loads(metadata[_KEY]))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its architecture is not valid: {error}") from None


def _of_folder(folder: Path) -> Network:
    if not (folder / WEIGHTS).is_file():
        raise InputError(
            f"{folder}: expected a folder that nas export --format folder wrote, found no "
            f"{WEIGHTS} in it"
        )
    network = load(folder / WEIGHTS)
    config = folder / CONFIG
    if config.is_file() and Architecture.load(config) != network.architecture:
        raise InputError(
            f"{config}: is another network than that of {WEIGHTS}: remove the one that is wrong"
        )
    return network


def _check(
    path: Path | str, expected: Mapping[str, torch.Tensor], found: Mapping[str, Any]
) -> None:
    missing, unused = sorted(expected.keys() - found), sorted(found.keys() - expected)
    if missing or unused:
        raise InputError(
            f"{path}: the weights are not those of its architecture: "
            f"missing {missing[:3]}, unused {unused[:3]}"
        )
    for name, tensor in expected.items():
        shape, dtype = tuple(found[name].get_shape()), found[name].get_dtype()
        if shape != tensor.shape:
            raise InputError(f"{path}: {name} is {shape}, expected {tuple(tensor.shape)}")
        if dtype not in _DTYPES:
            raise InputError(
                f"{path}: {name} is {dtype}, expected a floating-point tensor: {', '.join(_DTYPES)}"
            )
