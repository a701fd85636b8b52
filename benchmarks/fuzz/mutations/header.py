"""Safetensors files whose header, tensors or metadata are not what they should be."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.mutations.raw import broken
from benchmarks.fuzz.mutations.tensors import other_tensor
from benchmarks.fuzz.mutations.values import broken_tree, strange

__all__ = ["other_architecture", "other_header", "other_tensors"]

_TYPES = ["F16", "BF16", "I64", "I8", "BOOL", "F8_E4M3", "F8_E5M2", "C64", "F4", "U64", "f32", "X"]
_METADATA: tuple[Any, ...] = (
    {}, [], None, "x", {"architecture": 7}, {"architecture": ""}, {"architecture": "{}"},
    {"architecture": "[" * 50_000}, {"architecture": "null"}, {"format": "tf"},
)  # fmt: skip


def other_header(rng: random.Random, path: Path) -> str:
    """The header says something else than what follows it, or than a header may say."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    name, other = rng.choices([key for key in header if key != "__metadata__"], k=2)
    way = rng.choice((*_LIES, "overlap", "metadata", "values", "no JSON", "length", "huge"))
    if way in _LIES:
        _LIES[way](rng, header[name], len(body))
    elif way == "overlap":
        header[name] = dict(header[other], shape=header[name]["shape"])
    elif way == "metadata":
        header["__metadata__"] = rng.choice(_METADATA)
    elif way == "values":
        header, told = broken_tree(rng, header)
        way = f"values: {told}"
    text = json.dumps(header).encode()
    text = broken(rng, text)[0] if way == "no JSON" else text
    said = len(text)
    if way == "length":
        said = rng.choice((0, 1, len(text) - 1, len(text) + 1, len(content), 2**63, 2**64 - 1))
    elif way == "huge":
        said, text, body = 99_000_000, b" " * 1000, b""
    path.write_bytes(struct.pack("<Q", said) + text + body)
    return f"the header of {name}: {way}"


def _offsets(rng: random.Random, entry: dict[str, Any], size: int) -> None:
    ends = (0, -1, 2**63, 2**64 - 1, size, size + 4, 3)
    entry["data_offsets"] = [rng.choice(ends), rng.choice(ends)]


def _kind(rng: random.Random, entry: dict[str, Any], size: int) -> None:
    entry["dtype"] = rng.choice((*_TYPES, "", 7, None))


def _shape(rng: random.Random, entry: dict[str, Any], size: int) -> None:
    shape = entry["shape"]
    others: tuple[Any, ...] = (
        [],
        [0],
        [1],
        [-1],
        [2**32, 2**32],
        shape[::-1],
        "x",
        None,
        [1.5],
        [*shape, 1],
    )
    entry["shape"] = rng.choice(others)


_LIES: dict[str, Callable[[random.Random, dict[str, Any], int], None]] = {
    "offsets": _offsets,
    "type": _kind,
    "shape": _shape,
}


def other_tensors(rng: random.Random, path: Path) -> str:
    """A whole file, but with other tensors than its architecture has."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    told = []
    for name in rng.sample(sorted(tensors), k=rng.choice((1, 1, 3))):
        kind = rng.random()
        if kind < 0.15:
            del tensors[name]
            told.append(f"no {name}")
        elif kind < 0.3:
            tensors[f"{name}x"] = tensors.pop(name)
            told.append(f"{name} renamed")
        else:
            made, what = other_tensor(rng, tensors[name])
            if _can_be_written(made):
                tensors[name] = made.detach().contiguous()
                told.append(f"{name} {what}")
    save_file({name: one.clone() for name, one in tensors.items()}, path, metadata=metadata)
    return "; ".join(told) or "sound"


def _can_be_written(made: Any) -> bool:
    """Plain, dense, in memory, and not so large that nobody could."""
    import torch

    if not isinstance(made, torch.Tensor) or made.is_nested or made.is_quantized:
        return False
    return made.layout == torch.strided and made.device.type == "cpu" and made.numel() < 10**7


def other_architecture(rng: random.Random, path: Path) -> str:
    """The metadata tell of another network than the tensors are of."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    plain, told = broken_tree(rng, json.loads(metadata["architecture"]))
    metadata["architecture"] = json.dumps(plain)
    if rng.random() < 0.2:
        metadata[str(strange(rng))[:100]] = str(strange(rng))[:1000]
    save_file(load_file(path), path, metadata=metadata)
    return f"architecture: {told}"
