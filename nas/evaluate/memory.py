"""Peak memory of one forward pass, exactly and without computing anything."""

from __future__ import annotations

import copy
import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from search_spaces import Architecture

__all__ = ["peak_memory_mb"]


def peak_memory_mb(network: nn.Module | Architecture, lr_size: tuple[int, int]) -> float:
    """Peak of weights and live tensors in one float32 eager inference forward, in MB (10^6 bytes).

    The network runs on the meta device, so nothing is computed and the answer is the same on
    every machine. The input counts, a view of a tensor counts nothing, scratch space inside
    an operator (which differs between libraries) isn't counted.

    Args:
        network: an architecture, or a module of three colours; left as it is.
        lr_size: (height, width) of the LR input, pixels.

    Raises:
        InputError: a size below 1.
    """
    height, width = lr_size
    if height < 1 or width < 1:
        raise InputError(f"lr_size must be at least 1 x 1 pixels, got {height} x {width}")
    if isinstance(network, nn.Module):
        on_meta, colors = copy.deepcopy(network).to("meta", torch.float32), 3
    else:
        from search_spaces import build

        with torch.device("meta"):
            on_meta, colors = build(network), network.colors
    live = _LiveBytes()
    for tensor in (*on_meta.parameters(), *on_meta.buffers()):
        live.add(tensor)
    image = torch.empty(1, colors, height, width, device="meta")
    live.add(image)
    with torch.no_grad(), live:
        on_meta.eval()(image)
    return live.peak / 1e6


class _LiveBytes(TorchDispatchMode):
    """Counts the bytes of storages from the operator that makes them until they are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self.add(leaf)
        return out

    def add(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        # Views and in-place results share a storage; torch keeps one Python object for each.
        if id(storage) in self.known:
            return
        self.known.add(id(storage))
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._freed, id(storage), storage.nbytes())

    def _freed(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size
