"""Published checkpoints (.pth) as networks of the space."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_spaces.architecture import Architecture
from search_spaces.catalog import preset, preset_names
from search_spaces.errors import InputError
from search_spaces.keymap import KeyMap, key_maps
from search_spaces.network import Network, build
from search_spaces.regular import open_regular

__all__ = ["import_checkpoint", "read_checkpoint"]

# Where training code puts the weights inside a checkpoint. Averaged ones come first: they
# are what the papers' figures are made with.
_NESTS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
# Tied weights are stored once and named several times.
_MOST_SHARED = 4

# How torch's unpickler names what it refuses to import.
_ASKED = re.compile(r"GLOBAL ([\w.]+)|[Uu]nsupported (?:class|global) ([\w.]+)|operand (\d+)")


def import_checkpoint(
    path: Path | str, preset_name: str, scale: int, *, layouts: Iterable[Path] = ()
) -> Network:
    """The published network in a .pth file, as a network of ours in evaluation mode.

    Args:
        path: the checkpoint; it is read as data only, never run.
        preset_name: which published system it holds.
        scale: 2, 3 or 4.
        layouts: key maps (YAML files) to try besides those that come with the package.

    Raises:
        InputError: an unreadable or unsafe file, or weights that are not exactly those of
            the preset: keys unused or unset, other shapes, values that are not finite.
    """
    architecture = preset(preset_name, scale)
    known = key_maps(layouts)
    tensors = read_checkpoint(path)
    expected = _shapes(architecture)
    chosen = min(known, key=lambda one: len(_translate(one, tensors)[0].keys() ^ expected.keys()))
    named, unmapped = _translate(chosen, tensors)
    if not named:
        raise InputError(
            f"{path}: its keys ({_some(tensors)}) follow no known layout "
            f"({', '.join(one.name for one in known)}); describe them in a key map of your own"
        )
    problem = _mismatch(expected, {n: tensors[key] for n, key in named.items()}, named, unmapped)
    if problem:
        what = f"{preset_name} at scale {scale}"
        raise InputError(f"{path}: not the weights of {what}: {problem}{_fitting(known, tensors)}")
    network = build(Architecture.from_dict({**architecture.to_dict(), **chosen.feeds}))
    network.load_state_dict({name: tensors[key].float() for name, key in named.items()})
    return network.eval()


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Mapped, an archive cannot ask for more memory than it has bytes.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_archive(path))
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


def _shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    # On the meta device a network has shapes but neither values nor memory.
    with torch.device("meta"):
        state = build(architecture).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _translate(key_map: KeyMap, tensors: Mapping[str, Tensor]) -> tuple[dict[str, str], list[str]]:
    """(our name -> their key, their keys that have no place of their own)."""
    named: dict[str, str] = {}
    unmapped = []
    for key in tensors:
        name = key_map.ours(key)
        if name is None or name in named:
            unmapped.append(key)
        else:
            named[name] = key
    return named, unmapped


def _mismatch(
    expected: Mapping[str, tuple[int, ...]],
    found: Mapping[str, Tensor],
    named: Mapping[str, str],
    unmapped: Iterable[str],
) -> str:
    unset = [name for name in expected if name not in found]
    unused = [*unmapped, *(key for name, key in named.items() if name not in expected)]
    if unset or unused:
        return f"unset {_some(unset)}; unused {_some(unused)}"
    for name, shape in expected.items():
        came = tuple(found[name].shape)
        if came != shape:
            return f"{named[name]} is {came}, expected {shape}"
    return ""


def _fitting(known: Iterable[KeyMap], tensors: Mapping[str, Tensor]) -> str:
    """What the weights would fit instead, for the end of a message."""
    shapes = {
        f"--preset {name} --scale {scale}": _shapes(preset(name, scale))
        for name in preset_names()
        for scale in (2, 3, 4)
    }
    fitting = []
    for key_map in known:
        named, unmapped = _translate(key_map, tensors)
        found = {name: tuple(tensors[key].shape) for name, key in named.items()}
        fitting += [which for which, shape in shapes.items() if shape == found and not unmapped]
    return f"; they fit {' or '.join(fitting)}" if fitting else ""


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more if listed else "none"
