"""Torch's ONNX exporter, asked once for each network: it takes two to five seconds of a core."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces import Network
from search_spaces.files import atomic_path

__all__ = ["remembered"]


def remembered(export: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """The same as ``export``, whose graphs are kept in the folder, for other processes too.

    What is ours is done every time: the portable form before it, all that follows after it.
    """

    def once(module: nn.Module, arguments: tuple[Tensor, ...], **options: Any) -> Any:
        import onnx

        path = folder / f"{_digest(module, arguments, options)}.onnx"
        if not path.is_file():
            program = export(module, arguments, **options)
            with atomic_path(path) as temporary:
                temporary.write_bytes(program.model_proto.SerializeToString())
        return SimpleNamespace(model_proto=onnx.load(str(path)))

    return once


def _digest(module: nn.Module, arguments: tuple[Tensor, ...], options: Any) -> str:
    """Of all that a graph is made from: the modules, their options and weights, how it is asked."""
    made = hashlib.sha256(repr((module, sorted(options.items()))).encode())
    for one in module.modules():
        if isinstance(one, Network):
            made.update(one.architecture.hash.encode())
    for tensor in (*module.state_dict().values(), *(torch.zeros_like(one) for one in arguments)):
        made.update(repr((tensor.shape, tensor.dtype)).encode())
        made.update(tensor.contiguous().numpy().tobytes())
    return made.hexdigest()
