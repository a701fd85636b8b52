"""Loads all that commands load, so that forked children begin with it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import warnings
from collections.abc import Iterator
from pathlib import Path

__all__ = ["load_everything"]

# onnxruntime is left out: it starts a thread, and a child of a process with threads is not sound.
_FOREIGN = (
    "torch", "torch.onnx", "torch.export", "torch._dynamo", "torch.utils.tensorboard", "onnx",
    "onnxscript", "torch_pruning", "thop", "fvcore.nn",
    "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_pdf", "matplotlib.pyplot", "plotly.graph_objects", "pandas",
    "optuna.importance", "optuna.samplers", "optuna.storages", "optuna_dashboard", "scipy.stats",
    "skimage.data", "skimage.metrics", "rich.table", "rich.progress", "sqlalchemy.dialects.sqlite",
)  # fmt: skip
_OWN = ("search_spaces", "nas", "compress", "reports")


def load_everything(fonts: Path) -> None:
    """Loads torch and all packages, on one thread.

    Args:
        fonts: a folder for matplotlib's list of fonts, which all children share.

    Raises:
        RuntimeError: something started a thread.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["MPLCONFIGDIR"] = str(fonts)
    with _silent(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        torch.set_num_threads(1)
        for package in _OWN:
            folder = importlib.import_module(package).__path__
            for module in pkgutil.walk_packages(folder, f"{package}."):
                importlib.import_module(module.name)
        for name in _FOREIGN:
            importlib.import_module(name)
        from PIL import Image

        Image.init()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        raise RuntimeError(f"expected one thread after loading, got {threads}")
    gc.collect()
    # What is there already is looked at by no child's collector, and so stays shared.
    gc.freeze()


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Some packages tell of what they lack while they are loaded."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
