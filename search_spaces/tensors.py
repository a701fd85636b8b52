"""Tensors as the bytes of a file."""

from __future__ import annotations

import io
from typing import Any

import torch

__all__ = ["to_bytes"]


def to_bytes(content: Any) -> memoryview:
    """What ``torch.save`` makes of tensors and plain values, for one to write.

    By itself torch writes in C++: of a full disk it tells in many lines and leaves half a file,
    and its writer of TorchScript takes the whole process down.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()
