"""Published checkpoints (.pth) as networks of the space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from search_spaces.architecture import Architecture
from search_spaces.catalog import preset, preset_names
from search_spaces.errors import InputError
from search_spaces.fitting import (
    SCALES,
    Shapes,
    differing,
    exact,
    fitted,
    other_than,
    resized,
    shapes,
)  # fmt: skip
from search_spaces.keymap import KeyMap, key_maps
from search_spaces.network import Network, build
from search_spaces.pth_file import read_checkpoint
from search_spaces.training_form import collapsed

__all__ = ["Checkpoint", "find_checkpoint", "import_checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a .pth file holds.

    Attributes:
        key_map: the layout that its keys follow.
        preset: which published system it is.
        architecture: of its network; the preset's, or one with other depth, widths or colours.
        weights: our name -> tensor, exactly those of the architecture.
    """

    key_map: KeyMap
    preset: str
    architecture: Architecture
    weights: Mapping[str, Tensor] = field(repr=False)

    @property
    def told(self) -> str:
        """In words, such as ``span x4 with channels 26, by the keys of span: ...``."""
        other = other_than(self.preset, self.architecture)
        what = f"{self.preset} x{self.architecture.scale}{f' with {other}' if other else ''}"
        return f"{what}, by the keys of {self.key_map.name}: {self.key_map.title}"

    def network(self) -> Network:
        """The network with these weights in float32, in evaluation mode."""
        fed = Architecture.from_dict({**self.architecture.to_dict(), **self.key_map.feeds})
        network = build(fed)
        network.load_state_dict({name: tensor.float() for name, tensor in self.weights.items()})
        return network.eval()


def import_checkpoint(
    path: Path | str,
    preset_name: str | None = None,
    scale: int | None = None,
    *,
    layouts: Iterable[Path] = (),
) -> Network:
    """The network that `find_checkpoint` finds in a .pth file."""
    return find_checkpoint(path, preset_name, scale, layouts=layouts).network()


def find_checkpoint(
    path: Path | str,
    preset_name: str | None = None,
    scale: int | None = None,
    *,
    layouts: Iterable[Path] = (),
) -> Checkpoint:
    """What published network a .pth file holds, and its weights.

    A preset that is named has to fit as it is. Without a name, a preset that fits as it is goes
    before those that fit with the depth, the widths or the colours that the file's shapes say.

    Args:
        path: the checkpoint; it is read as data only, never run.
        preset_name: which published system it holds; None: found out.
        scale: 2, 3 or 4; None: found out.
        layouts: key maps (YAML files) to try besides those that come with the package.

    Raises:
        InputError: an unreadable or unsafe file; or weights that are not exactly those of
            one network: keys unused or unset, other shapes, values that are not finite, or shapes
            that leave open which preset or scale it is.
    """
    # An unknown name or scale is told before the file is read.
    preset(preset_name or preset_names()[0], scale or SCALES[0])
    known = key_maps(layouts)
    tensors = collapsed(read_checkpoint(path))
    readings = [_Reading.of(one, tensors) for one in known]
    if not any(one.named for one in readings):
        raise InputError(
            f"{path}: its keys ({_some(tensors)}) follow no known layout "
            f"({', '.join(one.name for one in known)}); describe them in a key map of your own"
        )
    scales = SCALES if scale is None else (scale,)
    found = _fitting(readings, [preset_name] if preset_name else preset_names(), scales, exact)
    if not found and not preset_name:
        found = _fitting(readings, preset_names(), scales, fitted)
    if not found:
        raise InputError(f"{path}: {_misfit(readings, preset_name, scales)}")
    if len({one.architecture for one in found}) > 1:
        told = " or ".join(dict.fromkeys(_options(one) for one in found))
        raise InputError(f"{path}: its keys and shapes leave open which it is: {told}")
    return found[0]


@dataclass(frozen=True, slots=True)
class _Reading:
    """The tensors of a file by one key map.

    Attributes:
        key_map: the one.
        named: our name -> their key.
        unmapped: their keys that have no place of their own.
        tensors: by their key.
    """

    key_map: KeyMap
    named: Mapping[str, str]
    unmapped: tuple[str, ...]
    tensors: Mapping[str, Tensor]

    @classmethod
    def of(cls, key_map: KeyMap, tensors: Mapping[str, Tensor]) -> _Reading:
        named: dict[str, str] = {}
        unmapped = []
        for key in tensors:
            name = key_map.ours(key)
            if name is None or name in named:
                unmapped.append(key)
            else:
                named[name] = key
        return cls(key_map, named, tuple(unmapped), tensors)

    @property
    def shapes(self) -> Shapes:
        return {name: tuple(self.tensors[key].shape) for name, key in self.named.items()}

    def checkpoint(self, name: str, arch: Architecture) -> Checkpoint:
        weights = {ours: self.tensors[key] for ours, key in self.named.items()}
        return Checkpoint(self.key_map, name, arch, weights)

    def nearness(self, arch: Architecture) -> tuple[int, int]:
        """How many keys fit the network, and less for every name that only one of them has."""
        expected, found = shapes(arch), self.shapes
        fit = sum(expected.get(name) == shape for name, shape in found.items())
        return fit, -len(expected.keys() ^ found.keys())

    def misfit(self, arch: Architecture) -> str:
        """What does not fit the network."""
        expected, found = shapes(arch), self.shapes
        unset = [name for name in expected if name not in found]
        unused = [*self.unmapped, *(k for name, k in self.named.items() if name not in expected)]
        if unset or unused:
            return f"unset {_some(unset)}; unused {_some(unused)}"
        return self.first_misfit(arch)

    def first_misfit(self, arch: Architecture) -> str:
        """The first key of the file that does not fit the network, or what the file lacks."""
        expected, found = shapes(arch), self.shapes
        ours = {key: name for name, key in self.named.items()}
        for key in self.tensors:
            name = ours.get(key, "")
            if name not in expected:
                return f"{key} has no place there"
            if found[name] != expected[name]:
                return f"{key} is {found[name]}, expected {expected[name]}"
        return f"{next(name for name in expected if name not in found)} is not in the file"


def _fitting(
    readings: Iterable[_Reading],
    names: Sequence[str],
    scales: Sequence[int],
    way: Callable[[str, Shapes, Iterable[int]], list[Architecture]],
) -> list[Checkpoint]:
    """All that fits by the first key map by which anything does: a user's come first."""
    for reading in readings:
        if reading.named and not reading.unmapped:
            found = reading.shapes
            archs = [(name, arch) for name in names for arch in way(name, found, scales)]
            if archs:
                return [reading.checkpoint(name, arch) for name, arch in archs]
    return []


def _misfit(readings: Sequence[_Reading], preset_name: str | None, scales: Sequence[int]) -> str:
    """What was tried, and what comes nearest to the file."""
    if preset_name:
        tried = [(one, preset(preset_name, scale)) for one in readings for scale in scales]
        reading, arch = max(tried, key=lambda pair: pair[0].nearness(pair[1]))
        what = f"{preset_name} at scale {arch.scale}"
        others = _fitting(readings, preset_names(), SCALES, exact)
        told = f"; they fit {' or '.join(map(_options, others))}" if others else ""
        return f"not the weights of {what}: {reading.misfit(arch)}{told}"
    pairs = {(n, name): differing(name, one.shapes) + len(one.unmapped)
             for n, one in enumerate(readings) for name in preset_names()}  # fmt: skip
    near = [pair for pair, count in pairs.items() if count == min(pairs.values())]
    sized = [(readings[n], name, arch) for n, name in near
             for arch in resized(name, readings[n].shapes, scales)]  # fmt: skip
    reading, name, arch = max(sized, key=lambda one: one[0].nearness(one[2]))
    layouts = ", ".join(one.key_map.name for one in readings)
    return (
        f"fits no preset by the keys of {layouts}; nearest is {name} x{arch.scale} by those of "
        f"{reading.key_map.name}, where {reading.nearness(arch)[0]} of {len(reading.tensors)} "
        f"keys fit: {reading.first_misfit(arch)}"
    )


def _options(found: Checkpoint) -> str:
    words = f"--preset {found.preset} --scale {found.architecture.scale}"
    other = other_than(found.preset, found.architecture)
    return f"{words} with {other}" if other else words


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more if listed else "none"
