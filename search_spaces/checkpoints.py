"""Published checkpoints (.pth) as networks of the space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from search_spaces.architecture import Architecture
from search_spaces.catalog import preset, preset_names
from search_spaces.errors import InputError
from search_spaces.keymap import KeyMap, key_maps
from search_spaces.network import Network, build
from search_spaces.pth_file import read_checkpoint

__all__ = ["import_checkpoint"]


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
