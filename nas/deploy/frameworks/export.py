"""A network as an architecture file, options and weights for a training framework."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import torch

from nas.deploy.frameworks.framework import Framework, Plan
from nas.deploy.parity import Parity, Run, check_parity
from nas.deploy.single_file import class_name_of, run_source, state_of, told
from nas.deploy.source_code import source_code
from search_spaces.errors import NotPossible
from search_spaces.files import atomic_path
from search_spaces.network import Network
from search_spaces.tensors import to_bytes

__all__ = ["export_for", "open_from"]

_IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n"
_REGISTER = "@ARCH_REGISTRY.register()\n"
_OPTIONS = (
    "# Options of {name}. Change the data roots to where your images are; without the\n"
    "# line pretrain_network_g, training starts anew.\n"
)


def export_for(framework: Framework, network: Network, folder: Path | str) -> Parity:
    """Writes ``archs/NAME_arch.py``, ``options/train_NAME.*``, ``weights/NAME.pth``, a README.

    NAME is the folder's. The architecture file needs torch and the framework's registry alone and
    has the very same state-dict keys, so that weights go both ways.

    Returns:
        How far it is from the network at most.

    Raises:
        InputError: a network on luma, a part that can't be written out, a difference, or a
            folder that can't be written.
    """
    folder = Path(folder)
    if network.architecture.colors != 3:
        raise NotPossible(
            f"export: {framework.name} trains on RGB; this network is on luma alone: choose "
            "--format ntire"
        )
    stem = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "network"
    plan = Plan(stem, framework.network_type(stem), network.architecture.scale)
    text = _architecture(framework, network, plan)
    state = state_of(network)
    parity = check_parity(network, run_source(text, plan.network_type, state, framework.stand_in()))
    options = _OPTIONS.format(name=framework.name) + framework.written(framework.options(plan))
    files = {
        folder / "archs" / f"{stem}_arch.py": text,
        folder / "options" / f"train_{stem}{framework.ending}": options,
        folder / "README.md": _readme(framework, plan),
    }
    with ExitStack() as all_or_none:
        weights = all_or_none.enter_context(atomic_path(folder / plan.weights))
        # They look for the state dict under this key.
        weights.write_bytes(to_bytes({"params": state}))
        for path, content in files.items():
            temporary = all_or_none.enter_context(atomic_path(path))
            temporary.write_text(content, encoding="utf-8")
    return parity


def open_from(framework: Framework, folder: Path) -> Run:
    """What the folder's architecture file gives with the weights beside it. It is run."""
    (file,) = (folder / "archs").glob("*_arch.py")
    stem = file.stem.removesuffix("_arch")
    state = torch.load(folder / "weights" / f"{stem}.pth", weights_only=True)["params"]
    text = file.read_text(encoding="utf-8")
    return run_source(text, framework.network_type(stem), state, framework.stand_in())


def _architecture(framework: Framework, network: Network, plan: Plan) -> str:
    name = class_name_of(plan.stem)
    usage = (
        f"copy this file to {framework.package}/archs/\n"
        f"in the options: network_g, type {plan.network_type}"
    )
    decorator = "" if framework.by_function else _REGISTER
    classes = source_code(network, name, decorator=decorator, training=True)
    head = told(network, name, usage, needs=f"torch and {framework.name}")
    registry = f"from {framework.registry} import ARCH_REGISTRY\n"
    maker = f"\n\n{_maker(plan, name)}" if framework.by_function else ""
    return f"{head}\n{_IMPORTS}{registry}\n\n{classes}{maker}"


def _maker(plan: Plan, class_name: str) -> str:
    return (
        f"{_REGISTER}def {plan.network_type}(scale={plan.scale}, **options):\n"
        f'    """The network, which has one scale and no options."""\n'
        f"    if scale != {plan.scale} or options:\n"
        f'        raise ValueError(f"{plan.network_type}: expected scale {plan.scale} and no '
        f'options, got {{scale}}, {{options}}")\n'
        f"    return {class_name}()\n"
    )


def _readme(framework: Framework, plan: Plan) -> str:
    options = f"options/train_{plan.stem}{framework.ending}"
    return (
        f"# {class_name_of(plan.stem)} (x{plan.scale}) for {framework.name}\n\n"
        f"Made by `nas export --format {framework.package.lower()}`.\n\n"
        f"1. Copy `archs/{plan.stem}_arch.py` into `{framework.package}/archs/` of your "
        f"{framework.name}: it finds every\n   file there whose name ends in `_arch.py`.\n"
        f"2. Set the data roots in `{options}`.\n"
        f"3. From this folder: `python /path/to/{framework.train} -opt {options}`\n\n"
        f"`{plan.weights}` holds the state dict under `params`. Its keys are those of nas-sr.\n\n"
        f"{framework.tried}"
    )
