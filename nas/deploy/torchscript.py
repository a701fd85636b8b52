"""TorchScript: the network for libtorch, without this package."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas.deploy.metadata import metadata
from nas.deploy.parity import Parity, Run, check_parity, runner
from nas.deploy.portable import portable
from search_spaces.attention.esa import continued
from search_spaces.errors import NotPossible
from search_spaces.files import atomic_path
from search_spaces.network import Network

__all__ = ["export_torchscript", "open_torchscript"]


def export_torchscript(network: Network, path: Path | str) -> Parity:
    """Writes a trace that holds for every size, checked before it takes its place.

    What `metadata` says is in the archive's extra file ``metadata.json``.

    Raises:
        InputError: a part cannot be traced, the trace gives something else than the network,
            or the folder cannot be written.
    """
    import json

    example = torch.rand(1, network.architecture.colors, 24, 29)
    # torch recommends torch.export instead; TorchScript is what was asked for.
    with warnings.catch_warnings(action="ignore"):
        # A trace keeps a scripted function's branches.
        scripted: Any = torch.jit.script(continued)

        def extended(x: Tensor, least: int) -> Tensor:
            # Were the result x itself, the trace would take every later use of x for one of it.
            out: Tensor = scripted(x.clone(), least)
            return out

        copied = portable(network, extended, in_place=True)
        try:
            with torch.no_grad():
                traced: Any = torch.jit.trace(copied, example, check_trace=False)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise NotPossible(
                f"the network {network.architecture.hash} cannot be traced: {reason}"
            ) from error
        with atomic_path(path) as temporary:
            extra = {"metadata.json": json.dumps(metadata(network), indent=1)}
            # Its own writer ends the whole process where a disk is full.
            buffer = io.BytesIO()
            torch.jit.save(traced, buffer, _extra_files=extra)
            temporary.write_bytes(buffer.getbuffer())
            return check_parity(network, open_torchscript(temporary))


def open_torchscript(path: Path) -> Run:
    """What runs a TorchScript file on the CPU."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        loaded: Any = torch.jit.load(str(path))
    return runner(loaded)
