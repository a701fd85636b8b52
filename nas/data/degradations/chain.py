"""A chain of degradations, read from YAML: what makes LR of HR."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from nas.data.degradations.dice import Dice
from nas.data.degradations.step import Step, sizes_after
from nas.data.strips import Strips
from nas.plain import checked
from search_spaces.errors import InputError
from search_spaces.yaml_file import at_key, read_yaml

__all__ = ["Chain", "Degraded", "chain_names", "load_chain"]

Pixels = NDArray[np.uint8]

_FOLDER = Path(__file__).parent / "shipped"
_MARGIN_PX, _BLOCK_PX = 8, 8


class Degraded(NamedTuple):
    """An image that a chain has made.

    Attributes:
        lr: uint8 RGB, shape (height, width, 3).
        said: what was drawn for it, for people: ``("blur 1.3", "JPEG 46")``.
    """

    lr: Pixels
    said: tuple[str, ...]


class Chain(BaseModel):
    """Steps from HR to LR, all chances included.

    Between steps the image is rounded to 8 bits, as files and screens hold it.

    Attributes:
        name: of the chain, or the file's.
        source: the paper or code that the values are from.
        about: what the source leaves open, and what stands here instead.
        steps: done in this order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str = ""
    about: str = ""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @cached_property
    def digest(self) -> str:
        """16 hex digits over what it does; its name and texts do not count."""
        text = json.dumps(self.to_plain()["steps"], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def begins_with_default(self) -> bool:
        """Whether it first makes the LR that is made without a chain."""
        first = self.steps[0]
        return first.resize is not None and first.resize.is_default and first.chance == 1

    @property
    def is_default(self) -> bool:
        """Whether it does nothing else."""
        return self.begins_with_default and len(self.steps) == 1

    @property
    def named(self) -> str:
        """What one types for it, where its file is at hand."""
        return self.name if self.name in chain_names() else f"{self.name}.yaml"

    def check(self, scale: int) -> None:
        """Makes sure that it ends at the LR's size, whatever is drawn.

        Raises:
            InputError: it need not.
        """
        ends = sizes_after(self.steps, frozenset({"hr"}))
        if not ends <= {"lr", "hr" if scale == 1 else "lr"}:
            raise InputError(
                f"--degradation {self.name}: its image need not end at the size of LR; expected "
                f"`- resize: {{of: lr}}` as the last resizing, whatever is drawn before"
            )

    def of_photo(self, hr: Pixels, scale: int, name: str) -> Degraded:
        """The LR of a whole photo, always the same for the same name.

        Args:
            hr: (height, width, 3), sides that the scale divides.
            scale: upscaling factor.
            name: the photo's, by which all chances are seeded.
        """
        key = int.from_bytes(sha256(name.encode()).digest()[:16], "little")
        return self._made(hr, _lr_size(hr, scale), np.random.Generator(np.random.Philox(key=key)))

    def of_patch(
        self,
        photo: Pixels | Strips,
        scale: int,
        at: tuple[int, int],
        side: int,
        rng: np.random.Generator,
    ) -> Degraded:
        """The LR of a square patch of a photo, made with some of what lies around it.

        Args:
            photo: HR, or where the chain `begins_with_default` the LR of that.
            scale: upscaling factor.
            at: row and column of the patch, LR pixels.
            side: of the patch, LR pixels.
            rng: of all its chances.
        """
        begun = self.begins_with_default
        factor = 1 if begun else scale
        # Blocks of JPEG begin anywhere: else networks would learn where, which no photo obeys.
        shifts = rng.integers(_BLOCK_PX, size=2).tolist()
        first = [max(0, one - _MARGIN_PX - more) for one, more in zip(at, shifts, strict=True)]
        last = [min(most, one + side + _MARGIN_PX)
                for one, most in zip(at, _lr_size(photo, factor), strict=True)]  # fmt: skip
        window = photo[first[0] * factor : last[0] * factor, first[1] * factor : last[1] * factor]
        made = self._made(window, (last[0] - first[0], last[1] - first[1]), rng, begun=begun)
        y, x = at[0] - first[0], at[1] - first[1]
        return Degraded(made.lr[y : y + side, x : x + side], made.said)

    def to_plain(self) -> dict[str, Any]:
        """For a file; `from_plain` of it is the same chain."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], where: str) -> Chain:
        """The chain again.

        Raises:
            InputError: unknown keys, or values outside their ranges.
        """
        return checked(cls, plain, where)

    def _made(
        self, image: Pixels, size: tuple[int, int], rng: np.random.Generator, *, begun: bool = False
    ) -> Degraded:
        dice = Dice(rng, size)
        for step in self.steps[1:] if begun else self.steps:
            image = step.apply(image, dice)
        return Degraded(image, tuple(dice.said))


def chain_names() -> list[str]:
    """The names of the chains that are shipped, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_chain(name: str | Path) -> Chain:
    """A chain by its name (jpeg, ...), or from a YAML file.

    Raises:
        InputError: no such chain, or one that is not valid, with the line at fault.
    """
    path = _FOLDER / f"{name}.yaml" if str(name) in chain_names() else Path(name)
    if path.suffix.lower() not in (".yaml", ".yml"):
        known = ", ".join(chain_names())
        raise InputError(f"--degradation: expected {known} or a .yaml file, got {str(name)!r}")
    data, text = read_yaml(path)
    if "name" in data:
        raise InputError(at_key(path, text, "name: unknown key; a chain has its file's name"))
    try:
        return checked(Chain, {"name": path.stem, **data})
    except InputError as error:
        raise InputError(at_key(path, text, str(error))) from None


def _lr_size(hr: Pixels | Strips, scale: int) -> tuple[int, int]:
    return hr.shape[0] // scale, hr.shape[1] // scale
