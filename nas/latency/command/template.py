"""A command as a user writes it, with places for a network's files and what to do with them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from nas.deploy.formats import FORMATS, Format
from nas.latency.command.int8 import INT8_FILES
from search_spaces.errors import InputError

__all__ = ["NUMBERS", "CommandTemplate", "FilePlace", "file_places", "network_formats"]

NUMBERS = ("height", "width", "runs")
"""Places for numbers: the input's size in pixels, and over how many passes to average."""

# A name in doubled braces is no place: it stands for itself in single ones.
_PLACE = re.compile(r"\{\{(\w+)\}\}|\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class FilePlace:
    """What stands for a file: of which of the formats, and the ending of its name."""

    format: str
    ending: str


def network_formats() -> dict[str, Format]:
    """What a command may take: formats of files by their names, and int8 to be timed."""
    files = {name: one for name, one in FORMATS.items() if one.endings}
    return {**files, **INT8_FILES}


def file_places() -> dict[str, FilePlace]:
    """The places for files: a format's name or the ending that it goes by.

    Where a format makes several files, its name and an ending.
    """
    places: dict[str, FilePlace] = {}
    for name, one in network_formats().items():
        usual = one.endings[0]
        if one.beside:
            for ending in (usual, *one.beside):
                places[f"{name}_{ending.lstrip('.')}"] = FilePlace(name, ending)
        else:
            places[name] = FilePlace(name, usual)
            if name not in INT8_FILES:
                places.setdefault(usual.lstrip("."), FilePlace(name, usual))
    return places


@dataclass(frozen=True, slots=True)
class CommandTemplate:
    """A command in words; no shell ever sees them.

    Attributes:
        text: as it was written.
        words: of it, split as a shell would, places not yet filled.
        files: the places for a network's files among them.
    """

    text: str
    words: tuple[str, ...]
    files: Mapping[str, FilePlace]

    @classmethod
    def parse(cls, text: str) -> CommandTemplate:
        """The command of a text.

        Raises:
            InputError: an open quote, nothing at all, an unknown place, or none for a network.
        """
        where = f"--latency-command {text!r}"
        try:
            words = tuple(shlex.split(text))
        except ValueError as error:
            raise InputError(f"{where}: {str(error).lower()}; close the quote") from None
        known = file_places()
        named = [found[2] for word in words for found in _PLACE.finditer(word) if found[2]]
        listed = ", ".join(f"{{{name}}}" for name in (*known, *NUMBERS))
        for name in named:
            if name not in known and name not in NUMBERS:
                raise InputError(
                    f"{where}: unknown place {{{name}}}; expected some of {listed}; write "
                    f"{{{{{name}}}}} for braces that are meant as such"
                )
        files = {name: known[name] for name in named if name in known}
        if not files:
            raise InputError(
                f"{where}: expected a place for a network's file, such as {{onnx}}; the others "
                f"are {listed}"
            )
        return cls(text, words, files)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that it takes a network in, each once."""
        return tuple(dict.fromkeys(place.format for place in self.files.values()))

    @property
    def program(self) -> str | None:
        """What it starts, unless a place stands there."""
        return None if _PLACE.search(self.words[0]) else self.words[0]

    def filled(self, values: Mapping[str, object]) -> list[str]:
        """Its words with values in their places: whatever a value looks like, it is one word."""

        def value(found: re.Match[str]) -> str:
            return str(values[found[2]]) if found[2] else f"{{{found[1]}}}"

        return [_PLACE.sub(value, word) for word in self.words]
