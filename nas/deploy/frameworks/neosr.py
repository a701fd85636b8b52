"""A network for those who train with neosr."""

from __future__ import annotations

from functools import partial
from typing import Any

from nas.deploy.frameworks.export import export_for, open_from
from nas.deploy.frameworks.framework import Framework, Plan
from nas.deploy.frameworks.written import as_toml

__all__ = ["NEOSR", "export_neosr", "open_neosr"]


def _options(plan: Plan) -> dict[str, Any]:
    train = {"type": "paired", **plan.training_photos} | {
        # In LR pixels, not in HR ones as BasicSR's.
        "patch_size": plan.lr_patch_px,
        "batch_size": plan.batch,
        "dataset_enlarge_ratio": 100,
    }
    return {
        "name": f"train_{plan.stem}",
        "model_type": "image",
        "scale": plan.scale,
        "datasets": {
            "train": train,
            "val": {"name": "Set5", "type": "paired", **plan.validation_photos},
        },
        "network_g": {"type": plan.network_type},
        "path": {
            "pretrain_network_g": plan.weights,
            "param_key_g": "params",
            "strict_load_g": True,
        },
        "train": {
            "ema": plan.ema,
            # Unless it is told so, it clips.
            "grad_clip": False,
            "optim_g": {
                "type": "adam",
                "lr": plan.learning_rate,
                "weight_decay": 0,
                "betas": list(plan.betas),
            },
            "scheduler": {**plan.scheduler, "type": "multisteplr"},
            "pixel_opt": {"type": "L1Loss", "loss_weight": 1.0, "reduction": "mean"},
        },
        "val": {"val_freq": plan.validated_every, "metrics": plan.metrics},
        "logger": {
            "total_iter": plan.iterations,
            "print_freq": 100,
            "save_checkpoint_freq": plan.validated_every,
            "use_tb_logger": True,
        },
    }


_TRIED = (
    "The file and the options follow the source of neosr 1.0.0. They were tried with a\n"
    "stand-in of its registry, not in neosr itself, which no package index has.\n"
)

NEOSR = Framework(
    "neosr", "neosr", _options, ".toml", as_toml, "neosr/train.py", _TRIED,
    by_function=True,
)  # fmt: skip

export_neosr, open_neosr = partial(export_for, NEOSR), partial(open_from, NEOSR)
