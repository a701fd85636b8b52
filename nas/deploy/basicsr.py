"""A network for those who train with BasicSR: an architecture file, options and weights."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
import yaml

from nas.deploy.parity import Parity, Run, check_parity
from nas.deploy.single_file import class_name_of, run_source, state_of, told
from nas.deploy.source_code import source_code
from search_spaces.errors import NotPossible
from search_spaces.files import atomic_path
from search_spaces.network import Network
from search_spaces.tensors import to_bytes

__all__ = ["export_basicsr", "open_basicsr", "options"]

_IMPORTS = (
    "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n"
    "from basicsr.utils.registry import ARCH_REGISTRY\n"
)
_REGISTER = "@ARCH_REGISTRY.register()\n"
_LR_PATCH_PX = 48


def export_basicsr(network: Network, folder: Path | str) -> Parity:
    """Writes ``archs/NAME_arch.py``, ``options/train_NAME.yml``, ``weights/NAME.pth``, a README.

    NAME is the folder's. The architecture file needs torch and BasicSR's registry alone and
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
            "export: BasicSR's SRModel is given RGB; this network is on luma alone: choose "
            "--format ntire"
        )
    stem = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") or "network"
    name = class_name_of(stem)
    usage = (
        f"copy this file to basicsr/archs/, or import it before basicsr.train;\n"
        f"in the options: network_g: {{type: {name}}}"
    )
    classes = source_code(network, name, decorator=_REGISTER, training=True)
    text = f"{told(network, name, usage).replace('torch alone', 'torch and BasicSR')}\n{_IMPORTS}"
    text += f"\n\n{classes}"
    state = state_of(network)
    parity = check_parity(network, run_source(text, name, state, _registry()))
    files = {
        folder / "archs" / f"{stem}_arch.py": text,
        folder / "options" / f"train_{stem}.yml": _options_text(network, stem, name),
        folder / "README.md": _readme(stem, name, network.architecture.scale),
    }
    with ExitStack() as all_or_none:
        weights = all_or_none.enter_context(atomic_path(folder / "weights" / f"{stem}.pth"))
        # BasicSR looks for the state dict under this key.
        weights.write_bytes(to_bytes({"params": state}))
        for path, content in files.items():
            temporary = all_or_none.enter_context(atomic_path(path))
            temporary.write_text(content, encoding="utf-8")
    return parity


def open_basicsr(folder: Path) -> Run:
    """What the folder's architecture file gives with the weights beside it. It is run."""
    (file,) = (folder / "archs").glob("*_arch.py")
    stem = file.stem.removesuffix("_arch")
    state = torch.load(folder / "weights" / f"{stem}.pth", weights_only=True)["params"]
    text = file.read_text(encoding="utf-8")
    return run_source(text, class_name_of(stem), state, _registry())


def options(network: Network, stem: str, class_name: str) -> dict[str, Any]:
    """BasicSR's options for training the network on DIV2K, as RFDN's authors train theirs.

    L1, Adam at 5e-4 halved every 200,000 of a million iterations, patches of 48 LR pixels,
    batch 16 (Liu et al., ECCVW 2020); PSNR on Y without the border.
    """
    scale = network.architecture.scale
    files = {"io_backend": {"type": "disk"}}

    def pairs(name: str, hr: str, lr: str) -> dict[str, Any]:
        return {"name": name, "type": "PairedImageDataset", "dataroot_gt": hr,
                "dataroot_lq": lr, "filename_tmpl": "{}", **files}  # fmt: skip

    div2k, set5 = "datasets/DIV2K", "datasets/Set5"
    train = pairs("DIV2K", f"{div2k}/HR_sub", f"{div2k}/LR_bicubic_X{scale}_sub") | {
        "gt_size": _LR_PATCH_PX * scale,
        "use_hflip": True,
        "use_rot": True,
        "use_shuffle": True,
        "num_worker_per_gpu": 6,
        "batch_size_per_gpu": 16,
        "dataset_enlarge_ratio": 100,
        "prefetch_mode": None,
    }
    validation = pairs("Set5", f"{set5}/GTmod{scale}", f"{set5}/LRbicx{scale}")
    metric = {"crop_border": scale, "test_y_channel": True}
    return {
        "name": f"train_{stem}",
        "model_type": "SRModel",
        "scale": scale,
        "num_gpu": 1,
        "manual_seed": 0,
        "datasets": {"train": train, "val": validation},
        "network_g": {"type": class_name},
        "path": {
            "pretrain_network_g": f"weights/{stem}.pth",
            "param_key_g": "params",
            "strict_load_g": True,
            "resume_state": None,
        },
        "train": {
            "ema_decay": 0.999,
            "optim_g": {"type": "Adam", "lr": 5e-4, "weight_decay": 0, "betas": [0.9, 0.99]},
            "scheduler": {
                "type": "MultiStepLR",
                "milestones": [200_000, 400_000, 600_000, 800_000],
                "gamma": 0.5,
            },
            "total_iter": 1_000_000,
            "warmup_iter": -1,
            "pixel_opt": {"type": "L1Loss", "loss_weight": 1.0, "reduction": "mean"},
        },
        "val": {
            "val_freq": 5000,
            "save_img": False,
            "metrics": {
                "psnr": {"type": "calculate_psnr", **metric},
                "ssim": {"type": "calculate_ssim", **metric},
            },
        },
        "logger": {
            "print_freq": 100,
            "save_checkpoint_freq": 5000,
            "use_tb_logger": True,
            "wandb": {"project": None, "resume_id": None},
        },
        "dist_params": {"backend": "nccl", "port": 29500},
    }


def _options_text(network: Network, stem: str, name: str) -> str:
    plain = options(network, stem, name)
    head = (
        "# Options of BasicSR. Change the data roots to where your images are; without the\n"
        "# line pretrain_network_g, training starts anew.\n"
    )
    return head + yaml.dump(plain, Dumper=_NoAliases, sort_keys=False)


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _readme(stem: str, name: str, scale: int) -> str:
    return (
        f"# {name} (x{scale}) for BasicSR\n\n"
        f"Made by `nas export --format basicsr`.\n\n"
        f"1. Copy `archs/{stem}_arch.py` into `basicsr/archs/` of your BasicSR: it finds every\n"
        f"   file there whose name ends in `_arch.py`.\n"
        f"2. Set the data roots in `options/train_{stem}.yml`.\n"
        f"3. From this folder: `python /path/to/BasicSR/basicsr/train.py -opt "
        f"options/train_{stem}.yml`\n\n"
        f"`weights/{stem}.pth` holds the state dict under `params`. Its keys are those of nas-sr.\n"
    )


def _registry() -> dict[str, Any]:
    """What stands in for BasicSR while the file is checked: it need not be installed."""
    registry: Any = ModuleType("basicsr.utils.registry")
    registry.ARCH_REGISTRY = SimpleNamespace(register=lambda: lambda one: one)
    names = ("basicsr", "basicsr.utils")
    return {name: ModuleType(name) for name in names} | {"basicsr.utils.registry": registry}
