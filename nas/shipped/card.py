"""What is to be known of a network that ships: its card, a YAML file beside its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nas.plain import checked
from search_spaces.errors import InputError
from search_spaces.yaml_file import read_yaml, to_yaml

__all__ = ["NAME", "Card", "Latency", "Quality", "Training", "read_card"]

NAME = re.compile(r"x([234])(-[a-z0-9]+)+")
"""Of a network that ships: its scale, then words of small letters and digits, as ``x4-320k``. No
preset has a name with a ``-``, no run folder or file has to have such a one."""

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)
_Count = Annotated[int, Field(ge=1)]
_Decibels = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Ssim = Annotated[float, Field(ge=-1, le=1)]
_Text = Annotated[str, Field(min_length=1)]


class Training(BaseModel):
    """How the weights came to be.

    Attributes:
        data: names of the sets of photos.
        photos: how many of them were trained on.
        recipe: its name.
        steps: of all its phases.
        seed: of weights and patches.
        teacher: what was learned from beside the photos; None: nothing.
        begun_with: weights that it went on from; None: fresh ones.
        revision: of this project.
    """

    model_config = _STRICT

    data: _Text
    photos: _Count
    recipe: _Text
    steps: _Count
    seed: Annotated[int, Field(ge=0)]
    teacher: _Text | None = None
    begun_with: _Text | None = None
    revision: _Text


class Quality(BaseModel):
    """Means over the photos of a set by the papers' protocol, and bicubic upscaling's."""

    model_config = _STRICT

    psnr_y_db: _Decibels
    ssim_y: _Ssim
    bicubic_psnr_y_db: _Decibels
    bicubic_ssim_y: _Ssim

    @property
    def gain_db(self) -> float:
        """PSNR-Y above bicubic upscaling."""
        return self.psnr_y_db - self.bicubic_psnr_y_db


class Latency(BaseModel):
    """Of one forward pass in float32, batch 1, as searches measure it: in turns with others.

    Attributes:
        latency_ms: by the processor's time.
        lr_size: (height, width) of the input, pixels.
        threads: of the processor.
        processor: its name.
        torch: its version.
        date: of the measurement.
    """

    model_config = _STRICT

    latency_ms: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    lr_size: Annotated[tuple[_Count, _Count], Field(strict=False)]
    threads: _Count
    processor: _Text
    torch: _Text
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class Card(BaseModel):
    """All about one network.

    Attributes:
        name: see `NAME`; that of its files.
        about: what it is and whose design, in a sentence.
        scale: 2, 3 or 4.
        colors: 3 (RGB) or 1 (luma).
        hash: of its architecture.
        params: parameters.
        macs: multi-adds of a 1280x720 output.
        weights: number format that they are stored in; they compute in float32.
        training: how the weights came to be.
        validation: on the last 20 photos of BSD200, their middles: what is chosen by.
        test: by the set's name, Set5 and Set14: what nothing is chosen by.
        latency: on one machine.
        made_by: command that trained it.
        licence: of the weights.
        date: when it was added.
    """

    model_config = _STRICT

    name: Annotated[str, Field(pattern=rf"^{NAME.pattern}$")]
    about: _Text
    scale: Annotated[int, Field(ge=2, le=4)]
    colors: Literal[1, 3]
    hash: _Text
    params: _Count
    macs: _Count
    weights: Literal["float16", "float32"]
    training: Training
    validation: Quality
    test: Mapping[str, Quality]
    latency: Latency
    made_by: _Text
    licence: _Text
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]

    @model_validator(mode="after")
    def _name_tells_the_scale(self) -> Card:
        if not self.name.startswith(f"x{self.scale}-"):
            raise ValueError(
                f"name: expected one that begins with x{self.scale}-, got {self.name!r}"
            )
        return self

    def to_yaml(self) -> str:
        """What `read_card` reads."""
        return to_yaml(self.model_dump(mode="json"))


def read_card(path: Path) -> Card:
    """The card in a file.

    Raises:
        InputError: no such file, not YAML, or a key that is unknown, missing or wrong.
    """
    card = checked(Card, read_yaml(path)[0], str(path))
    if card.name != path.stem:
        raise InputError(f"{path}: name: expected that of the file, got {card.name!r}")
    return card
