"""The classes of cases: each is a function that breaks something and names a command for it."""

from benchmarks.fuzz.case import Draw
from benchmarks.fuzz.classes.command_lines import command_lines
from benchmarks.fuzz.classes.comparisons import comparisons
from benchmarks.fuzz.classes.images import images
from benchmarks.fuzz.classes.run_folders import databases, run_folders, trainings
from benchmarks.fuzz.classes.weights import (
    ncnn_files,
    onnx_graphs,
    pth,
    safetensors,
    tflite_files,
)
from benchmarks.fuzz.classes.yaml_files import (
    configs,
    degradations,
    key_maps,
    latency_models,
    recipes,
    run_yaml,
    spaces,
)

__all__ = ["CLASSES"]

CLASSES: dict[str, Draw] = {
    "configs": configs,
    "spaces": spaces,
    "recipes": recipes,
    "degradations": degradations,
    "run_yaml": run_yaml,
    "key_maps": key_maps,
    "latency_models": latency_models,
    "images": images,
    "safetensors": safetensors,
    "pth": pth,
    "onnx": onnx_graphs,
    "ncnn": ncnn_files,
    "tflite": tflite_files,
    "comparisons": comparisons,
    "databases": databases,
    "run_folders": run_folders,
    "trainings": trainings,
    "command_lines": command_lines,
}
