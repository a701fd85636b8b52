"""What a network is, as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from search_spaces.activations import ACTIVATIONS, ActivationPart
from search_spaces.blocks import BLOCKS, BlockPart
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.fusions import FUSIONS, FusionPart
from search_spaces.part import Part, first_problem, shown
from search_spaces.skips import RESIZED, SKIPS, SkipPart
from search_spaces.stems import STEMS, StemPart
from search_spaces.upsamplers import UPSAMPLERS, UpsamplerPart
from search_spaces.yaml_file import at_key, read_yaml, to_yaml

__all__ = ["Architecture", "Scale"]

Scale = Literal[1, 2, 3, 4]
"""Upscaling factors; at 1 a network restores an image of the same size."""

_MOST_BLOCKS = 256


class Architecture(BaseModel):
    """A super-resolution network as frozen, validated data in canonical form.

    Widths are channel counts, never rates, and settings without effect are rejected, so
    that equal networks have equal hashes. Searched, published and pruned networks alike
    are values of this class; ``search_spaces.build`` makes the module.

    Attributes:
        schema_version: of the file format, 1.
        scale: upscaling factor, 2, 3 or 4; 1 for an image of the same size, better than it was.
        colors: 3 for RGB, 1 for a network on luma alone.
        value_range: the largest value inside the network, 1 or 255; images outside are
            always 0..1.
        mean: subtracted from the image (0..1, one number a colour) before the network and
            added after it; ``None`` for no shift.
        restored: range and mean are taken back from the output; where they are not, the network
            itself learns to give 0..1, as SPAN does.
        channels: width C of the trunk.
        activation: the activation function everywhere but inside attention.
        stem: from image to features.
        fusion: from all blocks' outputs to the upsampler's input.
        blocks: the body, one part a block; in files ``repeat: n`` stands for n equal ones. A
            network of stem and upsampler alone has none, and the fusion ``none``.
        upsampler: from features to the image.
        image_skip: how the input is enlarged that is added to the output, or ``none``. At scale 1
            no resizing changes it, and they are all called ``nearest``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    scale: Scale
    colors: Literal[1, 3] = 3
    value_range: Literal[1, 255] = 1
    mean: tuple[float, ...] | None = None
    restored: bool = True
    channels: Annotated[int, Ge(1), Le(4096)]
    activation: ActivationPart = ACTIVATIONS.parse("leaky_relu")
    stem: StemPart = STEMS.parse("conv")
    fusion: FusionPart = FUSIONS.parse("concat")
    blocks: tuple[BlockPart, ...]
    upsampler: UpsamplerPart = UPSAMPLERS.parse("pixelshuffle")
    image_skip: SkipPart = SKIPS.parse("none")

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        plain = dict(data)
        if isinstance(plain.get("mean"), list):
            plain["mean"] = tuple(plain["mean"])
        if isinstance(plain.get("blocks"), Mapping):
            plain["blocks"] = [plain["blocks"]]
        if isinstance(plain.get("blocks"), (list, tuple)):
            # No more than one too many: a small file can ask for a great number of blocks.
            every = chain.from_iterable(_repeated(entry) for entry in plain["blocks"])
            plain["blocks"] = tuple(islice(every, _MOST_BLOCKS + 1))
        return plain

    @field_validator("mean")
    @classmethod
    def _mean_fits(
        cls, mean: tuple[float, ...] | None, info: ValidationInfo
    ) -> tuple[float, ...] | None:
        colors = info.data.get("colors", 3)
        if mean is not None and (len(mean) != colors or not all(0 <= m <= 1 for m in mean)):
            raise InputError(f"expected {colors} numbers in 0..1, got {shown(list(mean))}")
        return None if mean is None or not any(mean) else mean

    @field_validator("restored")
    @classmethod
    def _restored_fits(cls, restored: bool, info: ValidationInfo) -> bool:
        if not restored and info.data.get("value_range") == 1 and info.data.get("mean") is None:
            raise InputError("false has no effect without a value range or a mean: leave it out")
        return restored

    @field_validator("image_skip")
    @classmethod
    def _one_name_for_the_input(cls, skip: Part, info: ValidationInfo) -> Part:
        # Equal networks have equal hashes.
        same = info.data.get("scale") == 1 and skip.kind in RESIZED
        return SKIPS.parse("nearest") if same else skip

    @field_validator("blocks", mode="wrap")
    @classmethod
    def _parsed_once(cls, blocks: Any, parsed: ValidatorFunctionWrapHandler) -> Any:
        # Repeated blocks are one and the same entry: parsed one by one, they were most of the
        # time of making a network, and searches make dozens of networks for each that they train.
        if not isinstance(blocks, tuple):
            return parsed(blocks)
        entries = {id(block): block for block in blocks}
        try:
            known = dict(zip(entries, parsed(tuple(entries.values())), strict=True))
        except ValidationError:
            # Again, so that the error says which one of all.
            return parsed(blocks)
        return tuple(known[id(block)] for block in blocks)

    @field_validator("blocks")
    @classmethod
    def _canonical_blocks(cls, blocks: tuple[Part, ...], info: ValidationInfo) -> tuple[Part, ...]:
        if len(blocks) > _MOST_BLOCKS:
            raise InputError(f"expected 1 to {_MOST_BLOCKS} of them, got more than {_MOST_BLOCKS}")
        fusion = info.data.get("fusion")
        if not blocks and fusion is not None and fusion.kind != "none":
            raise InputError(
                f"expected 1 to {_MOST_BLOCKS} of them, got none: without blocks say 'fusion: none'"
            )
        channels = info.data.get("channels")
        if channels is None:  # the problem with channels itself is reported instead
            return blocks
        runs = ((BLOCKS.canonical(block, channels), run) for block, run in groupby(blocks))
        return tuple(block for block, run in runs for _ in run)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Architecture:
        """The architecture in plain data.

        Raises:
            InputError: in one line, the path of the first problem, what was expected and
                what came; with the nearest valid name for unknown keys.
        """
        if not isinstance(data, Mapping):
            raise InputError(f"expected an architecture's mapping, got {shown(data)}")
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            raise InputError(first_problem(error, cls)) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain data in canonical form: defaults left out, runs of equal blocks as one."""
        plain: dict[str, Any] = {"schema_version": self.schema_version, "scale": self.scale}
        for name, info in type(self).model_fields.items():
            value = getattr(self, name)
            if name in plain or name == "blocks" or value == info.default:
                continue
            plain[name] = value.to_plain() if isinstance(value, Part) else _listed(value)
        plain["blocks"] = [_run(block, len(list(run))) for block, run in groupby(self.blocks)]
        return plain

    @cached_property
    def hash(self) -> str:
        """16 hex digits, equal for equal networks on every machine and in every session."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def foreign_parts(self) -> set[tuple[str, str]]:
        """Sort and name of every part that a user added to the tables."""
        tables = {
            "activation": ACTIVATIONS, "stem": STEMS, "fusion": FUSIONS, "upsampler": UPSAMPLERS,
            "image_skip": SKIPS,
        }  # fmt: skip
        parts = [(table, getattr(self, name)) for name, table in tables.items()]
        parts += [(BLOCKS, block) for block in set(self.blocks)]
        return {named for table, part in parts for named in table.foreign(part)}

    @classmethod
    def load(cls, path: Path | str) -> Architecture:
        """The architecture in a YAML file.

        Raises:
            InputError: with file, line and the nearest valid name.
        """
        data, text = read_yaml(path)
        try:
            return cls.from_dict(data)
        except InputError as error:
            raise InputError(at_key(path, text, str(error))) from None

    def save(self, path: Path | str) -> None:
        """Writes the canonical form as YAML, whole or not at all.

        Raises:
            InputError: the folder cannot be written.
        """
        with atomic_path(path) as temporary:
            temporary.write_text(to_yaml(self.to_dict()), encoding="utf-8")


def _repeated(entry: Any) -> list[Any]:
    if not isinstance(entry, Mapping) or "repeat" not in entry:
        return [entry]
    repeat = entry["repeat"]
    if type(repeat) is not int or not 1 <= repeat <= _MOST_BLOCKS:
        raise InputError(f"repeat: expected a number in 1..{_MOST_BLOCKS}, got {shown(repeat)}")
    return [{key: value for key, value in entry.items() if key != "repeat"}] * repeat


def _run(block: Part, count: int) -> str | dict[str, Any]:
    plain = block.to_plain()
    if count == 1:
        return plain
    return {"repeat": count} | (plain if isinstance(plain, dict) else {"kind": plain})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
