"""What lies in a pair of .param and .bin files, ours or another maker's."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nas.deploy.ncnn import trial
from nas.deploy.ncnn.read import Read, read_layers, weights_end
from nas.deploy.own_process import ends_well
from search_spaces.errors import InputError
from search_spaces.regular import irregular

__all__ = ["WEIGHTS_ENDING", "Content", "contents", "ended"]

WEIGHTS_ENDING = ".bin"
"""Of the file beside the .param."""

# ncnn reads as far as its layers need; what stands behind is for us alone.
_MARK = b"nas-sr\0\1"
_LENGTH = struct.Struct("<I")
_DIGEST = "sha256"


@dataclass(frozen=True, slots=True)
class Content:
    """A network that ncnn can be given.

    Attributes:
        text: of the .param file.
        weights: path of the .bin file.
        read: its layers.
        metadata: see `nas.deploy.metadata`; of another maker's file nothing.
    """

    text: str
    weights: Path
    read: Read
    metadata: Mapping[str, str] = field(default_factory=dict)


def ended(text: str, weights: bytes, metadata: Mapping[str, str]) -> bytes:
    """The .bin file's content: the weights, and behind them what the network says of itself."""
    said = json.dumps({**metadata, _DIGEST: _digest(text, weights)}).encode()
    return weights + said + _LENGTH.pack(len(said)) + _MARK


def contents(param: Path, weights: Path) -> Content:
    """Reads both files, and makes sure that ncnn may be given them: it believes what it reads.

    A file of ours is exactly what was written; of another maker's every layer is one that is known
    here, the weights are as many as the layers need, and ncnn has lived through it in a process of
    its own.

    Raises:
        InputError: they are damaged, of something else, or have layers that are not known here.
    """
    for path, what in ((param, ".param file"), (weights, f"{WEIGHTS_ENDING} file beside it")):
        if problem := irregular(path):
            raise InputError(f"{path}: {problem}; expected ncnn's {what}")
    try:
        text = param.read_bytes().decode("ascii")
    except UnicodeDecodeError:
        raise InputError(f"{param}: expected ncnn's .param file in its text form") from None
    content = weights.read_bytes()
    read = read_layers(param, text)
    said, behind = _metadata(weights, content)
    end = weights_end(weights, content[:behind], read.layers)
    if said and said.pop(_DIGEST, None) != _digest(text, content[:end]):
        raise InputError(
            f"{param}: it and {weights.name} are not as they were written together; export the "
            f"network again"
        )
    if end != behind:
        raise InputError(
            f"{weights}: {len(content):,} bytes, of which the layers in {param.name} take {end:,}: "
            f"it is damaged, or of another network"
        )
    words = (str(param), str(weights), read.input, read.output, str(read.colors))
    if not said and not ends_well(trial.__file__, *words):
        raise InputError(f"{param}: ncnn cannot run it, or would end with it: it is damaged")
    return Content(text, weights, read, said)


def _metadata(weights: Path, content: bytes) -> tuple[dict[str, str], int]:
    """What the network says of itself, and where the weights end at the latest."""
    if not content.endswith(_MARK):
        return {}, len(content)
    at = len(content) - len(_MARK) - _LENGTH.size
    try:
        (length,) = _LENGTH.unpack_from(content, at)
        said = json.loads(content[at - length : at])
        return {str(key): str(text) for key, text in said.items()}, at - length
    except (struct.error, ValueError, AttributeError, RecursionError):
        raise InputError(f"{weights}: damaged at its end; export the network again") from None


def _digest(text: str, weights: bytes) -> str:
    return hashlib.sha256(text.encode() + weights).hexdigest()
