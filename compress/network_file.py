"""Networks of ours, written: weights that carry their architecture, and its YAML."""

from __future__ import annotations

from pathlib import Path

from search_spaces.errors import InputError
from search_spaces.network import Network
from search_spaces.weights import save_weights

__all__ = ["stem_of", "write_network"]

_OTHER_KINDS = (".txt", ".onnx", ".tflite", ".pt", ".pth", ".ckpt", ".py", ".json", ".csv", ".png")


def write_network(network: Network, output: Path | str) -> tuple[Path, Path]:
    """Writes NAME.safetensors and NAME.yaml; ``output`` is either name, or the bare one.

    Returns:
        Both paths, the weights first.

    Raises:
        InputError: the folder cannot be written.
    """
    path = stem_of(output)
    weights, config = (path.with_name(path.name + end) for end in (".safetensors", ".yaml"))
    save_weights(network, weights)
    network.architecture.save(config)
    return weights, config


def stem_of(output: Path | str) -> Path:
    """A network's bare name: without the ending of its weights or its config.

    Raises:
        InputError: no name, or an ending of another kind of file.
    """
    path = Path(output)
    if path.name in ("", ".."):
        raise InputError(
            f"expected a name for NAME.safetensors and NAME.yaml, got the folder {path}"
        )
    if path.suffix.lower() in _OTHER_KINDS:
        raise InputError(
            f"{path}: expected a name for NAME.safetensors and NAME.yaml, got one that ends in "
            f"{path.suffix}"
        )
    return path.with_suffix("") if path.suffix in (".safetensors", ".yaml", ".yml") else path
