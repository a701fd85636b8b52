"""Weights in safetensors files that carry their Architecture."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from search_spaces.architecture import Architecture
from search_spaces.errors import InputError, WriteError
from search_spaces.files import atomic_path
from search_spaces.network import Network, build

__all__ = ["CONFIG", "WEIGHTS", "load", "save_weights"]

CONFIG, WEIGHTS = "config.yaml", "weights.safetensors"
"""Names of a network's two files where it is a folder."""

_KEY = "architecture"


def save_weights(network: Network, path: Path | str) -> None:
    """Writes the weights, with the Architecture in the file's metadata, whole or not at all.

    Raises:
        InputError: the folder cannot be written, or the disk is full.
    """
    # A copy each: two names may share storage, and the file wants contiguous tensors.
    tensors = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in network.state_dict().items()
    }
    metadata = {"format": "pt", _KEY: json.dumps(network.architecture.to_dict())}
    try:
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata=metadata)
    except (SafetensorError, OSError) as error:
        raise WriteError(f"cannot write {path}: {error}; is the disk full?") from error


def load(path: Path | str) -> Network:
    """The network in a weights file or folder, in evaluation mode; the file alone is enough.

    Args:
        path: a .safetensors file, or a folder with one called `WEIGHTS`; a `CONFIG` beside it
            must be of the same network.

    Raises:
        InputError: not a safetensors file, one without an Architecture, or one whose
            tensors are not exactly those of its Architecture or are not finite.
    """
    if Path(path).is_dir():
        return _of_folder(Path(path))
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: cannot be read as weights ({error}); expected a .safetensors file"
        ) from None
    if _KEY not in metadata:
        raise InputError(
            f"{path}: holds no architecture in its metadata; expected a file that this "
            f"program wrote (published checkpoints have to be imported first)"
        )
    try:
        architecture = Architecture.from_dict(json.loads(metadata[_KEY]))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its architecture is not valid: {error}") from None
    # Without memory first: the file may promise more than it holds.
    with torch.device("meta"):
        _check(path, build(architecture).state_dict(), tensors)
    network = build(architecture)
    network.load_state_dict(tensors)
    return network.eval()


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
    path: Path | str, expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]
) -> None:
    missing, unused = sorted(expected.keys() - found), sorted(found.keys() - expected)
    if missing or unused:
        raise InputError(
            f"{path}: the weights are not those of its architecture: "
            f"missing {missing[:3]}, unused {unused[:3]}"
        )
    for name, tensor in found.items():
        if tensor.shape != expected[name].shape:
            raise InputError(
                f"{path}: {name} is {tuple(tensor.shape)}, expected {tuple(expected[name].shape)}"
            )
        if not tensor.isfinite().all():
            raise InputError(f"{path}: {name} holds values that are not finite")
