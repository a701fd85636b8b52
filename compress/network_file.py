"""Networks of ours, in and out: weights that carry their architecture, and its YAML."""

from __future__ import annotations

from pathlib import Path

from nas.training.state import seeded
from search_spaces.architecture import Architecture
from search_spaces.catalog import preset, preset_names
from search_spaces.errors import InputError
from search_spaces.network import Network, build
from search_spaces.part import nearest
from search_spaces.regular import irregular
from search_spaces.weights import load, save_weights

__all__ = ["open_network", "open_student", "open_teacher", "stem_of", "write_network"]

_OTHER_KINDS = (".txt", ".onnx", ".pt", ".pth", ".ckpt", ".py", ".json", ".csv", ".png")


def open_network(path: Path | str) -> Network:
    """The network in a weights file.

    Raises:
        InputError: no such file, or one that holds no network of ours.
    """
    file = Path(path)
    if problem := irregular(file):
        raise InputError(f"{path}: {problem}; expected a network's .safetensors file")
    if file.suffix in (".pth", ".pt", ".ckpt"):
        raise InputError(
            f"{path}: expected a .safetensors file; published checkpoints have to be imported "
            f"first: nas import {path} --preset NAME -o net.safetensors"
        )
    if file.suffix in (".yaml", ".yml"):
        raise InputError(f"{path}: holds no weights; expected a network's .safetensors file")
    return load(file)


def open_teacher(path: Path | str) -> Network:
    """The network of a teacher, which needs weights.

    Raises:
        InputError: an architecture or a published system by name alone, or `open_network`'s.
    """
    name = str(path)
    if name.endswith((".yaml", ".yml")) or name in preset_names():
        raise InputError(
            f"teacher {name}: an architecture without weights has nothing to teach; "
            f"expected a network's .safetensors file"
        )
    return open_network(path)


def open_student(name: str, scale: int, seed: int = 0) -> Network:
    """A network from weights, or with fresh ones from its YAML or a published system's name.

    Args:
        name: a .safetensors or .yaml file, or a preset.
        scale: of a preset: 2, 3 or 4; files have their own.
        seed: of fresh weights.

    Raises:
        InputError: no such file or preset, or a file that holds no network.
    """
    if name.endswith((".yaml", ".yml")):
        return seeded(lambda: build(Architecture.load(name)), seed)
    if name in preset_names():
        return seeded(lambda: build(preset(name, scale)), seed)
    if not Path(name).suffix:
        raise InputError(
            f"student {name!r}: no such preset{nearest(name, preset_names())}; expected a "
            f".safetensors or .yaml file, or a name of nas presets"
        )
    return open_network(name)


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
