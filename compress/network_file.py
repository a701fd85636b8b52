"""Networks of ours, in and out: weights that carry their architecture, and its YAML."""

from __future__ import annotations

from pathlib import Path

from search_spaces.errors import InputError
from search_spaces.network import Network
from search_spaces.weights import load, save_weights

__all__ = ["open_network", "write_network"]


def open_network(path: Path | str) -> Network:
    """The network in a weights file.

    Raises:
        InputError: no such file, or one that holds no network of ours.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"{path}: no such file; expected a network's .safetensors file")
    if file.suffix in (".pth", ".pt", ".ckpt"):
        raise InputError(
            f"{path}: expected a .safetensors file; published checkpoints have to be imported "
            f"first: nas import {path} --preset NAME -o net.safetensors"
        )
    if file.suffix in (".yaml", ".yml"):
        raise InputError(f"{path}: holds no weights; expected a network's .safetensors file")
    return load(file)


def write_network(network: Network, output: Path | str) -> tuple[Path, Path]:
    """Writes NAME.safetensors and NAME.yaml; ``output`` is either name, or the bare one.

    Returns:
        Both paths, the weights first.

    Raises:
        InputError: the folder cannot be written.
    """
    path = Path(output)
    if path.suffix in (".safetensors", ".yaml", ".yml"):
        path = path.with_suffix("")
    weights, config = (path.with_name(path.name + end) for end in (".safetensors", ".yaml"))
    save_weights(network, weights)
    network.architecture.save(config)
    return weights, config
