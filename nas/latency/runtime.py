"""A network as something that runs: in torch or in ONNX Runtime."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from nas.evaluate.precision import arithmetic, best_device
from search_spaces.errors import InputError
from search_spaces.network import Network

__all__ = ["DTYPES", "RUNTIMES", "runner", "threads"]

RUNTIMES = ("torch", "onnxruntime")
DTYPES = ("float32", "bfloat16", "float16")


@contextmanager
def threads(count: int | None) -> Iterator[int]:
    """Inside, torch has that many CPU threads for an operator; gives how many it has."""
    if count is not None and count < 1:
        raise InputError(f"threads: expected 1 or more, got {count}")
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


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

    The torch runtime is eager, channels_last, in inference mode; ``dtype`` is one of `DTYPES`
    (autocast for all but float32). ONNX Runtime gets the exported graph with torch's number of
    threads at this moment; exporting takes seconds, so graphs are kept in ``exports`` where it is
    given, by the architecture's hash: of networks whose weights don't matter.

    Raises:
        InputError: an unknown runtime, dtype or device, or ONNX Runtime is missing.
    """
    if min(lr_size) < 1:
        raise InputError(f"size: expected 1x1 pixels or more, got {lr_size[1]}x{lr_size[0]}")
    image = torch.rand(
        1, network.architecture.colors, *lr_size, generator=torch.Generator().manual_seed(0)
    )
    if runtime == "torch":
        return _torch(network, image, best_device(device), dtype)
    if runtime != "onnxruntime":
        raise InputError(f"runtime: expected {' or '.join(RUNTIMES)}, got {runtime}")
    if dtype != "float32" or torch.device(device).type != "cpu":
        raise InputError(
            f"onnxruntime is measured in float32 on the CPU, got {dtype} on {device}; "
            f"choose --runtime torch"
        )
    from nas.deploy.onnx_file import export_onnx, open_session

    with tempfile.TemporaryDirectory() as folder:
        path = (exports or Path(folder)) / f"{network.architecture.hash}.onnx"
        if not path.exists():
            export_onnx(network, path)
        session = open_session(path, threads=torch.get_num_threads())
    array = image.numpy()
    return lambda: session(array)


def _torch(
    network: Network, image: torch.Tensor, device: torch.device, dtype: str
) -> Callable[[], object]:
    if dtype not in DTYPES:
        raise InputError(f"dtype: expected {', '.join(DTYPES)}, got {dtype}")
    moved = copy.deepcopy(network).eval().requires_grad_(False).to(device)
    moved = moved.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    placed = image.to(device).contiguous(memory_format=torch.channels_last)

    def run() -> object:
        with torch.inference_mode(), arithmetic(device.type, dtype):
            out = moved(placed)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return out

    return run
