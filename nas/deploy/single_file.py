"""A network as one Python file that needs torch alone, for challenges and other people's code."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import yaml

from nas.deploy.metadata import purpose
from nas.deploy.parity import Parity, Run, check_parity, runner
from nas.deploy.source_code import source_code
from nas.evaluate.environment import environment
from search_spaces import price
from search_spaces.errors import NotPossible
from search_spaces.files import atomic_path
from search_spaces.network import Network
from search_spaces.tensors import to_bytes

__all__ = [
    "class_name_of", "export_single_file", "open_single_file", "run_source", "state_of", "told",
]  # fmt: skip

_IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"


def export_single_file(network: Network, path: Path | str) -> Parity:
    """Writes ``NAME.py`` with plain modules and ``NAME.pth`` with the state dict.

    As the NTIRE challenges on efficient super-resolution ask for a model: the file imports
    torch alone, takes RGB in 0..1, and its class has no arguments. It is run in a namespace of
    its own and compared with the network before anything is written.

    Returns:
        How far it is from the network at most.

    Raises:
        InputError: a part that can't be written out, a difference, or a folder that can't be
            written.
    """
    path = Path(path)
    name = class_name_of(path.stem)
    weights = path.with_suffix(".pth")
    usage = (
        f"model = {name}()\n"
        f'model.load_state_dict(torch.load("{weights.name}", weights_only=True))\n'
        f"model.eval()"
    )
    text = f"{told(network, name, usage)}\n{_IMPORTS}\n\n{source_code(network, name)}"
    state = state_of(network)
    parity = check_parity(network, run_source(text, name, state))
    # Both or neither.
    with atomic_path(weights) as for_weights, atomic_path(path) as for_text:
        for_weights.write_bytes(to_bytes(state))
        for_text.write_text(text, encoding="utf-8")
    return parity


def class_name_of(stem: str) -> str:
    """``Team07Tiny`` of ``team07_tiny``; ``Network`` where no name of a class comes out."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", stem) if word]
    name = "".join(word[:1].upper() + word[1:] for word in words)
    usable = name.isidentifier() and name not in ("None", "True", "False", "F")
    return name if usable else f"Network{name}" if f"Network{name}".isidentifier() else "Network"


def told(network: Network, name: str, usage: str, *, needs: str = "torch alone") -> str:
    """The docstring at the head of a generated file."""
    arch = network.architecture
    cost = price(arch)
    colours = "RGB" if arch.colors == 3 else "luma (Y of BT.601, 16/255 to 235/255)"
    config = yaml.safe_dump(arch.to_dict(), sort_keys=False, default_flow_style=None, width=90)
    return (
        f'"""{name}: {purpose(arch.scale)}, {cost.params:,} parameters, '
        f"{cost.macs / 1e9:.2f} G multiply-adds for 1280x720 output.\n\n"
        f"Takes {colours} in 0..1 as (N, {arch.colors}, height, width), any size from 1x1; the "
        f"output is not\nclamped. Needs {needs}:\n\n{textwrap.indent(usage, '    ')}\n\n"
        f"Written out by nas-sr (revision {environment().revision}) from the architecture "
        f"{arch.hash}, by\nfollowing its forward pass, and found equal to it on random images. "
        f"The architecture as nas-sr\nreads it:\n\n{textwrap.indent(config, '    ')}"
        f'"""\n'
    )


def state_of(network: Network) -> dict[str, torch.Tensor]:
    """The state dict on the CPU, as copies."""
    return {
        key: tensor.detach().cpu().contiguous().clone()
        for key, tensor in network.state_dict().items()
    }


def open_single_file(path: Path) -> Run:
    """What ``NAME.py`` gives with the weights beside it. It is run."""
    state = torch.load(path.with_suffix(".pth"), weights_only=True)
    return run_source(path.read_text(encoding="utf-8"), class_name_of(path.stem), state)


def run_source(
    text: str,
    name: str,
    state: Mapping[str, torch.Tensor],
    modules: Mapping[str, Any] | None = None,
) -> Run:
    """The class of a generated file, made in a namespace of its own.

    Args:
        text: the file.
        name: of the class.
        state: loaded into it, every key of it.
        modules: given out to imports of these names meanwhile.

    Raises:
        NotPossible: it doesn't run, or wants other weights.
    """
    namespace: dict[str, Any] = {"__name__": "generated"}
    try:
        with patch.dict(sys.modules, modules or {}):
            exec(compile(text, f"{name}.py", "exec"), namespace)
        model = namespace[name]().eval()
        model.load_state_dict(state)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise NotPossible(f"export: the file that was written out doesn't run: {reason}") from error
    return runner(model)
