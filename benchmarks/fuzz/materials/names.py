"""Where the valid things lie, and the commands that made them."""

from __future__ import annotations

RUN = "run"
"""A finished search, with an audit, an evaluation and records of a compression."""

TRAINING = "training"
"""A training of a few steps that was stopped in the middle."""

WEIGHTS, GRAPH, CHECKPOINT = "net.safetensors", "net.onnx", "theirs.pth"
"""A small network; the same as ONNX; a published system's weights as its authors save them."""

PARAM, BIN, TFLITE = "net.param", "net.bin", "net.tflite"
"""The small network for ncnn, and for LiteRT."""

CONFIG, SPACE, RECIPE = "net.yaml", "space.yaml", "recipe.yaml"
KEY_MAP, MODEL = "keys.yaml", "latency.yaml"
"""A key map for ``CHECKPOINT``; a model of latency."""

PHOTOS = "photos"
"""A folder of a few small images."""

_SHORT = ("--space", "tiny", "--profile", "smoke", "--data", PHOTOS, "--workers", "1")
SEARCH = (
    "search", "--budget", "30K-params", *_SHORT, "--rungs", "2", "--eta", "1.3",
    "--latency-size", "16x16", "--run", RUN,
)  # fmt: skip
"""The search that made ``RUN``; with more ``--trials`` it goes on."""

AUDITED = ("audit", RUN, "--networks", "3", "--factor", "1.1", "--seeds", "1")
TRAIN = (
    "train", CONFIG, "--data", PHOTOS, "--recipe", RECIPE, "--run", TRAINING, "--no-tensorboard",
    "--validate-every", "2", "--checkpoint-seconds", "0",
)  # fmt: skip
"""Goes on with ``TRAINING``."""
