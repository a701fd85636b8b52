"""A network as something that runs: in torch or in another runtime."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from nas.deploy.formats import FORMATS
from nas.deploy.runtimes import RUNTIMES, TORCH, known_runtime
from nas.evaluate.precision import arithmetic, best_device
from search_spaces.errors import InputError
from search_spaces.network import Network

__all__ = ["DTYPES", "file_runner", "image_of", "placed", "read_ms", "runner", "torch_runner"]

DTYPES = ("float32", "bfloat16", "float16")


def runner(
    network: Network,
    lr_size: tuple[int, int],
    *,
    runtime: str,
    device: str,
    dtype: str = "float32",
    exports: Path | None = None,
) -> Callable[[], object]:
    """A function that runs the network once on an image of ``lr_size`` (height, width).

    See `torch_runner` and `file_runner`. Exporting takes seconds, so graphs are kept in
    ``exports`` where it is given, by the architecture's hash: of networks whose weights don't
    matter.

    Raises:
        InputError: an unknown runtime, dtype or device, or the runtime is missing.
    """
    colors = network.architecture.colors
    if known_runtime(runtime) == TORCH:
        return torch_runner(network, colors, lr_size, device=device, dtype=dtype)
    if dtype != "float32" or torch.device(device).type != "cpu":
        raise InputError(
            f"{runtime} is measured in float32 on the CPU, got {dtype} on {device}; "
            f"choose --runtime torch"
        )
    able = RUNTIMES[runtime]
    with tempfile.TemporaryDirectory() as folder:
        path = (exports or Path(folder)) / f"{network.architecture.hash}{able.ending}"
        if not path.exists():
            FORMATS[able.file_format].write(network, path)
        return file_runner(path, colors, lr_size, runtime)


def torch_runner(
    module: nn.Module,
    colors: int,
    lr_size: tuple[int, int],
    *,
    device: str = "cpu",
    dtype: str = "float32",
) -> Callable[[], object]:
    """Runs a copy of a module once: eager, channels_last, in inference mode, batch 1.

    ``dtype`` is one of `DTYPES` (autocast for all but float32).

    Raises:
        InputError: an unknown dtype or device, or a size below 1.
    """
    if dtype not in DTYPES:
        raise InputError(f"dtype: expected {', '.join(DTYPES)}, got {dtype}")
    where = best_device(device)
    moved, image = placed(module, where), image_of(colors, lr_size, where)

    def run() -> object:
        with torch.inference_mode(), arithmetic(where.type, dtype):
            out = moved(image)
        wait(where)
        return out

    return run


def file_runner(
    path: Path, colors: int, lr_size: tuple[int, int], runtime: str = "onnxruntime"
) -> Callable[[], object]:
    """Runs an exported file with one input once, with torch's number of threads at this moment.

    ``runtime`` is one of `nas.deploy.runtimes.RUNTIMES`.

    Raises:
        InputError: the runtime is missing, or cannot load the file.
    """
    opened = RUNTIMES[runtime].open(path, threads=torch.get_num_threads())
    given = {opened.inputs[0].name: image_of(colors, lr_size, "cpu").contiguous().numpy()}
    return lambda: opened.run(given)


def placed(module: nn.Module, device: torch.device) -> nn.Module:
    """A copy in use, for the caller's may be in the middle of a training."""
    moved = copy.deepcopy(module).eval().requires_grad_(False).to(device)
    return moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def image_of(colors: int, lr_size: tuple[int, int], device: torch.device | str) -> Tensor:
    """(1, colors, height, width), always the same one.

    Raises:
        InputError: a size below 1.
    """
    if min(lr_size) < 1:
        raise InputError(f"size: expected 1x1 pixels or more, got {lr_size[1]}x{lr_size[0]}")
    image = torch.rand(1, colors, *lr_size, generator=torch.Generator().manual_seed(0))
    return image.to(device).contiguous(memory_format=torch.channels_last)


def wait(device: torch.device) -> None:
    """Returns once the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def read_ms(device: torch.device) -> float:
    """The clock that `nas.latency.clock` judges this device by, once its work is done."""
    wait(device)
    return (time.thread_time() if device.type == "cpu" else time.perf_counter()) * 1e3
