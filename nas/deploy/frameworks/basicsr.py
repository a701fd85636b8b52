"""A network for those who train with BasicSR."""

from __future__ import annotations

from functools import partial
from typing import Any

from nas.deploy.frameworks.export import export_for, open_from
from nas.deploy.frameworks.framework import Framework, Plan
from nas.deploy.frameworks.written import as_yaml

__all__ = ["BASICSR", "export_basicsr", "open_basicsr"]


def _options(plan: Plan) -> dict[str, Any]:
    pairs = {"type": "PairedImageDataset", "filename_tmpl": "{}", "io_backend": {"type": "disk"}}
    train = {"name": "DIV2K", **pairs, **plan.training_photos} | {
        "gt_size": plan.lr_patch_px * plan.scale,
        "use_hflip": True,
        "use_rot": True,
        "use_shuffle": True,
        "num_worker_per_gpu": 6,
        "batch_size_per_gpu": plan.batch,
        "dataset_enlarge_ratio": 100,
        "prefetch_mode": None,
    }
    return {
        "name": f"train_{plan.stem}",
        "model_type": "SRModel",
        "scale": plan.scale,
        "num_gpu": 1,
        "manual_seed": 0,
        "datasets": {"train": train, "val": {"name": "Set5", **pairs, **plan.validation_photos}},
        "network_g": {"type": plan.network_type},
        "path": {
            "pretrain_network_g": plan.weights,
            "param_key_g": "params",
            "strict_load_g": True,
            "resume_state": None,
        },
        "train": {
            "ema_decay": plan.ema,
            "optim_g": {
                "type": "Adam",
                "lr": plan.learning_rate,
                "weight_decay": 0,
                "betas": list(plan.betas),
            },
            "scheduler": plan.scheduler,
            "total_iter": plan.iterations,
            "warmup_iter": -1,
            "pixel_opt": {"type": "L1Loss", "loss_weight": 1.0, "reduction": "mean"},
        },
        "val": {"val_freq": plan.validated_every, "save_img": False, "metrics": plan.metrics},
        "logger": {
            "print_freq": 100,
            "save_checkpoint_freq": plan.validated_every,
            "use_tb_logger": True,
            "wandb": {"project": None, "resume_id": None},
        },
        "dist_params": {"backend": "nccl", "port": 29500},
    }


_TRIED = (
    "Such a folder was tried in BasicSR 1.4.2: its train.py loads the weights, trains on from\n"
    "them and validates. With a torchvision of today it does so once\n"
    "`basicsr/data/degradations.py` imports `rgb_to_grayscale` from\n"
    "`torchvision.transforms.functional`.\n"
)

BASICSR = Framework(
    "BasicSR", "basicsr", _options, ".yml", as_yaml, "BasicSR/basicsr/train.py", _TRIED,
    by_function=False,
)  # fmt: skip

export_basicsr, open_basicsr = partial(export_for, BASICSR), partial(open_from, BASICSR)
