"""A network for those who train with traiNNer-redux."""

from __future__ import annotations

from functools import partial
from typing import Any

from nas.deploy.frameworks.export import export_for, open_from
from nas.deploy.frameworks.framework import Framework, Plan
from nas.deploy.frameworks.written import as_yaml

__all__ = ["TRAINNER", "export_trainner", "open_trainner"]


def _options(plan: Plan) -> dict[str, Any]:
    # It refuses fields that it does not know.
    train = {"name": "DIV2K", "type": "pairedimagedataset", **plan.training_photos} | {
        "lq_size": plan.lr_patch_px,
        "use_hflip": True,
        "use_rot": True,
        "num_worker_per_gpu": 6,
        "batch_size_per_gpu": plan.batch,
        "accum_iter": 1,
    }
    validation = {"name": "Set5", "type": "pairedimagedataset", **plan.validation_photos}
    return {
        "name": f"train_{plan.stem}",
        "scale": plan.scale,
        "use_amp": False,
        "num_gpu": "auto",
        "datasets": {"train": train, "val": validation},
        "network_g": {"type": plan.network_type},
        "path": {
            "pretrain_network_g": plan.weights,
            "param_key_g": "params",
            "strict_load_g": True,
            "resume_state": None,
        },
        "train": {
            "ema_decay": plan.ema,
            "grad_clip": False,
            "optim_g": {
                "type": "Adam",
                "lr": plan.learning_rate,
                "weight_decay": 0,
                "betas": list(plan.betas),
            },
            "scheduler": plan.scheduler,
            "total_iter": plan.iterations,
            "warmup_iter": -1,
            "losses": [{"type": "l1loss", "loss_weight": 1.0}],
        },
        "val": {
            "val_enabled": True,
            "val_freq": plan.validated_every,
            "save_img": False,
            "metrics_enabled": True,
            "metrics": plan.metrics,
        },
        "logger": {
            "print_freq": 100,
            "save_checkpoint_freq": plan.validated_every,
            "save_checkpoint_format": "safetensors",
            "use_tb_logger": True,
        },
    }


_TRIED = (
    "The file and the options follow the source of traiNNer-redux. They were tried with a\n"
    "stand-in of its registry, not in traiNNer-redux itself, which no package index has.\n"
)

TRAINNER = Framework(
    "traiNNer-redux", "traiNNer", _options, ".yml", as_yaml,
    "traiNNer-redux/train.py --auto_resume", _TRIED, by_function=True,
)  # fmt: skip

export_trainner, open_trainner = partial(export_for, TRAINNER), partial(open_from, TRAINNER)
