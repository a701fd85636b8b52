"""Weights in .pth files of anybody: read as data, with no more memory than the file is worth."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_spaces.errors import InputError
from search_spaces.regular import open_regular
from search_spaces.tensors import read_tensors

__all__ = ["read_checkpoint"]

# Where training code puts the weights inside a checkpoint. Averaged ones come first: they
# are what the papers' figures are made with.
_NESTS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Tied weights are stored once and named several times.
_MOST_SHARED = 4

# How torch's unpickler names what it refuses to import.
_ASKED = re.compile(r"GLOBAL ([\w.]+)|[Uu]nsupported (?:class|global) ([\w.]+)|operand (\d+)")


def read_checkpoint(path: Path | str) -> dict[str, Tensor]:
    """The weights in a .pth file under their own keys, without ``module.`` and the like.

    Nothing in the file is run: a pickle that asks for code is refused. Nothing is computed before
    it is known to take no more memory than the file is worth.

    Raises:
        InputError: no such file, truncated, with code in it, or no mapping of names to
            finite floating-point tensors.
    """
    weights = _unwrapped(_loaded(Path(path)), path)
    if not isinstance(weights, Mapping) or not weights:
        raise InputError(
            f"{path}: holds {type(weights).__name__}, expected a mapping of names to tensors"
        )
    for key, value in weights.items():
        _check_plain(path, key, value)
    _check_sizes(path, weights)
    for key, value in weights.items():
        # In float32, as it will be used: a large double is none there.
        if not value.float().isfinite().all():
            raise InputError(f"{path}: {key} holds values that are not finite (NaN or infinity)")
    # Copies: the values are still in the file, which somebody may change.
    tensors = {key: value.clone() for key, value in weights.items()}
    while prefix := next((p for p in _PREFIXES if all(k.startswith(p) for k in tensors)), None):
        tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return tensors


def _check_plain(path: Path | str, key: Any, value: Any) -> None:
    if not isinstance(key, str):
        raise InputError(f"{path}: holds a key that is {type(key).__name__}, expected names")
    if not isinstance(value, Tensor):
        kind = type(value).__name__
    elif value.dtype not in _DTYPES:
        kind = str(value.dtype)
    elif value.layout is not torch.strided or value.is_nested:
        kind = "nested" if value.is_nested else str(value.layout)
    elif value.device.type != "cpu":
        kind = f"on the device {value.device.type}, without values"
    else:
        return
    raise InputError(
        f"{path}: {key} is {kind}, expected a floating-point tensor: "
        f"{', '.join(str(one) for one in _DTYPES)}, with all its values"
    )


def _check_sizes(path: Path | str, weights: Mapping[str, Tensor]) -> None:
    # A view may repeat one stored value a thousand million times, and views may share values.
    for key, value in weights.items():
        stored = value.untyped_storage().nbytes() // value.element_size()
        if value.numel() > stored:
            raise InputError(
                f"{path}: {key} says that it has {value.numel()} values and stores {stored}; "
                f"expected a tensor with all its values"
            )
    whole, size = sum(value.nbytes for value in weights.values()), Path(path).stat().st_size
    if whole > _MOST_SHARED * size:
        raise InputError(
            f"{path}: its tensors would take {whole} bytes, the file has {size}; "
            f"expected tensors with values of their own"
        )


def _loaded(path: Path) -> Any:
    try:
        # Mapped, an archive cannot ask for more memory than it has bytes.
        return read_tensors(path, mmap=_is_archive(path))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: cannot be read ({reason}); expected a .pth file") from None
    except MemoryError:
        raise InputError(f"{path}: asks for more memory than there is; not a checkpoint") from None
    except InputError:
        raise
    # torch meets damaged files with RuntimeError, EOFError, KeyError, ValueError and more.
    except Exception as error:
        asked = _ASKED.search(str(error))
        if isinstance(error, pickle.UnpicklingError) and asked:
            what = asked[1] or asked[2] or f"pickle operation {asked[3]}"
            raise InputError(
                f"{path}: asks for Python code ({what}) and was not run; "
                f"expected a file of tensors only (torch.save(network.state_dict(), ...))"
            ) from None
        raise InputError(
            f"{path}: truncated, damaged or not a checkpoint; expected a .pth file of tensors: "
            f"download it again"
        ) from None


def _is_archive(path: Path) -> bool:
    """Whether torch will take it for one; those of before 2020 are none."""
    with open_regular(path) as file:
        if file.read(4) != b"PK\x03\x04":
            return False
        with zipfile.ZipFile(file) as archive:
            # torch itself compresses nothing, and would unpack whatever size is promised.
            if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
                raise InputError(
                    f"{path}: is compressed; expected a file as torch.save writes it: unpack it, "
                    f"and pack it again without compression"
                )
    return True


def _unwrapped(data: Any, path: Path | str) -> Any:
    seen: set[int] = set()
    while isinstance(data, Mapping):
        if id(data) in seen:
            raise InputError(f"{path}: holds a mapping that holds itself; expected named tensors")
        seen.add(id(data))
        nest = next((name for name in _NESTS if isinstance(data.get(name), Mapping)), None)
        if nest is None:
            break
        data = data[nest]
    return data
