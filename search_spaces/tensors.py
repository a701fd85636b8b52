"""Tensors as a file of torch's: written from bytes, and read without running any code in it."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import torch

from search_spaces.regular import check_regular

__all__ = ["read_tensors", "to_bytes"]


def read_tensors(
    path: Path | str, device: torch.device | str = "cpu", *, mmap: bool = False
) -> Any:
    """What ``torch.save`` wrote of tensors and plain values; no code in it is run.

    What torch warns of on its way (sorts of tensors that are new or old) is not for whoever reads
    a file: such a one is of no use here, and is refused for what it is.

    Args:
        path: a regular file.
        device: where the tensors go.
        mmap: whether to leave the values in the file until they are asked for.

    Raises:
        OSError: no regular file is there, or it cannot be read.
        Exception: six kinds of torch's for a damaged file, or one that asks for code.
    """
    check_regular(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.load(path, map_location=device, weights_only=True, mmap=mmap)


def to_bytes(content: Any) -> memoryview:
    """What ``torch.save`` makes of tensors and plain values, for one to write.

    By itself torch writes in C++: of a full disk it tells in many lines and leaves half a file,
    and its writer of TorchScript takes the whole process down.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()
