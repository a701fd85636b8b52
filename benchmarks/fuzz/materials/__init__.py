"""The valid things that cases break: a finished run, a stopped training, weights, photos, YAML."""

from benchmarks.fuzz.materials.make import make_materials
from benchmarks.fuzz.materials.names import (
    AUDITED,
    BIN,
    CHECKPOINT,
    CONFIG,
    GRAPH,
    KEY_MAP,
    MODEL,
    PARAM,
    PHOTOS,
    RECIPE,
    RUN,
    SEARCH,
    SPACE,
    TFLITE,
    TRAIN,
    TRAINING,
    WEIGHTS,
)

__all__ = [
    "AUDITED",
    "BIN",
    "CHECKPOINT",
    "CONFIG",
    "GRAPH",
    "KEY_MAP",
    "MODEL",
    "PARAM",
    "PHOTOS",
    "RECIPE",
    "RUN",
    "SEARCH",
    "SPACE",
    "TFLITE",
    "TRAIN",
    "TRAINING",
    "WEIGHTS",
    "make_materials",
]
