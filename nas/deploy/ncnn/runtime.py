"""ncnn's own runtime, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nas.deploy.ncnn.content import WEIGHTS_ENDING, Content, contents
from nas.deploy.opened import Opened, Taken
from nas.deploy.parity import Array, Run
from search_spaces.errors import InputError
from search_spaces.extras import need

__all__ = ["open_content", "open_ncnn", "open_run"]

_NARROW = ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_packed", "bf16_storage")


def open_ncnn(path: Path | str, *, threads: int | None = None) -> Opened:
    """The network in a .param file and the .bin file of the same name, float32 as float32.

    Raises:
        InputError: ncnn is missing, or see `contents`.
    """
    need("ncnn", "ncnn", "ncnn")
    path = Path(path)
    return open_content(contents(path, path.with_suffix(WEIGHTS_ENDING)), threads=threads)


def open_run(path: Path) -> Run:
    """The same as a function of images, (N, colors, h, w) to (N, colors, H, W)."""
    opened = open_ncnn(path)
    (image,) = opened.inputs
    return lambda images: opened.run({image.name: images})


def open_content(content: Content, *, threads: int | None = None) -> Opened:
    """The same of files that are read already.

    Raises:
        InputError: ncnn cannot load them.
    """
    import ncnn

    net, read = ncnn.Net(), content.read
    # On a processor that has these it would store and compute in half the bits.
    for name in _NARROW:
        setattr(net.opt, f"use_{name}", False)
    if threads is not None:
        net.opt.num_threads = threads
    if net.load_param_mem(content.text) or net.load_model(str(content.weights)):
        raise InputError(f"{content.weights}: ncnn cannot load it; export the network again")

    def one(image: Array) -> Array:
        extractor = net.create_extractor()
        # ncnn looks into an array without holding it, which has to be there until it is copied;
        # and copied it has to be, for ncnn's channels begin at multiples of 16 bytes.
        lasting = np.ascontiguousarray(image)
        failed = extractor.input(read.input, ncnn.Mat(lasting).clone())
        if not failed:
            failed, large = extractor.extract(read.output)
        if failed:
            raise RuntimeError(f"ncnn gives no result, error {failed}")
        return np.array(large, np.float32)

    def run(given: Mapping[str, Array]) -> Array:
        # It takes one image at a time.
        (images,) = given.values()
        return np.stack([one(image) for image in images])

    image = Taken(read.input, "float32", (None, read.colors, None, None))
    return Opened(run, (image,), 1, content.metadata)
