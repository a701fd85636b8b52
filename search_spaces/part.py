"""Parts of a network as data, and the tables that say which parts there are.

A part is a name and its options, ``{kind: esa, width: 12}``. Its class is an
``nn.Module`` that takes the options as keyword-only arguments and lists its layers with
weights in a static method ``layers``, from which prices are made. The options' schema is
read off the constructor, so a new part is one class and one line in a table.
"""

from __future__ import annotations

import inspect
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import core_schema
from torch import nn

from search_spaces.errors import InputError, nearest
from search_spaces.inner import Inner
from search_spaces.layer import Layer

__all__ = ["Part", "Table", "first_problem", "shown"]


@dataclass(frozen=True, slots=True)
class Part:
    """A named part with all its options, validated: hashable plain data."""

    kind: str
    options: tuple[tuple[str, Any], ...] = ()
    said: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __getitem__(self, option: str) -> Any:
        return dict(self.options)[option]

    def to_plain(self) -> str | dict[str, Any]:
        """What stands in a file: the bare name, or a mapping with the options off default."""
        options = {key: _plain(value) for key, value in self.options if key in self.said}
        return {"kind": self.kind, **options} if options else self.kind


_UNKNOWN = ("extra_forbidden", "invalid_key")
_MOST_SHOWN = 160
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxtuple, _SHORT.maxdict = 3, 16, 16, 8
_SHORT.maxstring = _SHORT.maxother = 80


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.to_plain()
    if isinstance(value, tuple):
        items = [_plain(item) for item in value]
        # Equal widths all along are written once.
        return items[0] if items and all(item == items[0] for item in items) else items
    return value


class Table:
    """The parts of one sort: their names, classes and option schemas."""

    def __init__(self, sort: str, classes: Mapping[str, type[nn.Module]]) -> None:
        self.sort = sort
        self._entries: dict[str, _Entry] = {}
        for kind, part_class in classes.items():
            self.add(kind, part_class)
        self._own = frozenset(classes)

    def add(self, kind: str, part_class: type[nn.Module]) -> None:
        """Adds a part; a failed add changes nothing.

        Raises:
            InputError: the name is taken, the class has no static method ``layers``, or an option
                holds a part and does not say of which sort.
        """
        if kind in self._entries:
            raise InputError(f"{self.sort} {kind!r} is there already: choose another name")
        if not callable(getattr(part_class, "layers", None)):
            raise InputError(
                f"{self.sort} {kind!r}: expected a static method layers(...) on "
                f"{part_class.__name__} that lists its convolutions, found none"
            )
        self._entries[kind] = _Entry(part_class, _schema(kind, part_class))

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __getitem__(self, kind: str) -> type[nn.Module]:
        return self._entries[kind].part_class

    def parse(self, value: object) -> Part:
        """A part from ``"name"``, a mapping with ``kind``, or a Part.

        Raises:
            InputError: an unknown name or option, or an option of the wrong type.
        """
        if isinstance(value, Part):
            value = {"kind": value.kind, **dict(value.options)}
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
            raise InputError(
                f"{self.sort}: expected a name or a mapping with 'kind', got {shown(value)}"
            )
        options = {key: option for key, option in value.items() if key != "kind"}
        kind = value["kind"]
        if kind not in self._entries:
            raise InputError(
                f"unknown {self.sort} {kind!r}{nearest(kind, self._entries)}; "
                f"one of your own comes with --import FILE.py"
            )
        schema = self._entries[kind].schema
        try:
            checked = schema.model_validate(options)
        except ValidationError as error:
            raise InputError(f"{self.sort} {kind!r}: {first_problem(error, schema)}") from None
        return self._part(kind, {name: getattr(checked, name) for name in schema.model_fields})

    def optional_parts(self) -> set[str]:
        """The options that hold a part of another sort, or none by default."""
        return {
            name
            for entry in self._entries.values()
            for name, info in entry.schema.model_fields.items()
            if info.default is None and any(isinstance(m, Table) for m in _flat(info))
        }

    def foreign(self, part: Part) -> set[tuple[str, str]]:
        """Sort and name of the part and the parts in its options, as far as users added them."""
        found = set() if part.kind in self._own else {(self.sort, part.kind)}
        schema = self._entries[part.kind].schema
        for name, value in part.options:
            if isinstance(value, Part):
                tables = [m for m in _flat(schema.model_fields[name]) if isinstance(m, Table)]
                found |= {named for table in tables for named in table.foreign(value)}
        return found

    def canonical(self, part: Part, channels: int) -> Part:
        """``part`` at a width, with what depends on the width filled in or rejected.

        Raises:
            InputError: options that do not fit together or the width.
        """
        fill_in = getattr(self[part.kind], "canonical", None)
        if fill_in is None:
            return part
        try:
            return self._part(part.kind, fill_in(channels, dict(part.options)))
        except InputError as error:
            raise InputError(f"{self.sort} {part.kind!r}: {error}") from None

    def _part(self, kind: str, options: Mapping[str, Any]) -> Part:
        fields_ = self._entries[kind].schema.model_fields
        # Not get_default(), which copies: it was a third of the time of making a network.
        said = tuple(name for name, value in options.items() if value != fields_[name].default)
        return Part(kind, tuple(options.items()), tuple(n for n in said if options[n] != ()))

    def make(self, part: Part, *args: Any) -> nn.Module:
        """The module of ``part``; ``args`` are the sort's positional arguments."""
        return self[part.kind](*args, **dict(part.options))

    def layers(self, part: Part, *args: Any) -> Iterator[Layer]:
        """The layers with weights of ``part``, without building it."""
        part_class: Any = self[part.kind]
        return iter(part_class.layers(*args, **dict(part.options)))

    def widths(self, part: Part, *args: Any) -> Iterator[Inner]:
        """The inner widths of ``part`` that may shrink: none of one that does not name them."""
        named = getattr(self[part.kind], "widths", None)
        return iter(() if named is None else named(*args, dict(part.options)))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        # Lets ``Annotated[Part, TABLE]`` stand as the type of a field or an option.
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(Part.to_plain),
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    part_class: type[nn.Module]
    schema: type[BaseModel] = field(repr=False)


def _schema(kind: str, part_class: type[nn.Module]) -> type[BaseModel]:
    hints = get_type_hints(part_class.__init__, include_extras=True)
    options: dict[str, Any] = {}
    for parameter in inspect.signature(part_class).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            if _is_bare_part(hints[parameter.name]):
                raise InputError(
                    f"{kind!r}: {parameter.name}: expected the type of one sort of parts, such as "
                    f"search_spaces.attention.AttentionPart, got Part, which is of any"
                )
            required = parameter.default is inspect.Parameter.empty
            options[parameter.name] = (
                hints[parameter.name],
                ... if required else parameter.default,
            )
    config = ConfigDict(extra="forbid", strict=True, validate_default=True)
    return create_model(kind, __config__=config, **options)


def _is_bare_part(hint: Any) -> bool:
    """Whether it is ``Part``, or a union with it, where no table says which parts."""
    if hint is Part:
        return True
    return get_origin(hint) is not Annotated and any(map(_is_bare_part, get_args(hint)))


def shown(value: object) -> str:
    """``repr`` on one line of bounded length: YAML aliases can make a few bytes very long."""
    text = _SHORT.repr(value).replace("\n", " ")
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def _flat(info: FieldInfo) -> list[Any]:
    """What an option's annotation says beside its type, also inside ``X | None``."""
    return [*info.metadata, *(m for a in get_args(info.annotation) for m in get_args(a)[1:])]


def first_problem(error: ValidationError, schema: type[BaseModel]) -> str:
    """The first problem of a validation in one line: path, what is wrong, what came."""
    problems = error.errors()
    # A misspelt key is missing, too: what was written says more than what was not.
    unknown = (p for p in problems if p["type"] in _UNKNOWN)
    problem = next(unknown, problems[0])
    where = ".".join(str(step) for step in problem["loc"])
    if problem["type"] in _UNKNOWN:
        return f"unknown key {where!r}{nearest(where, schema.model_fields)}"
    if problem["type"] == "missing":
        return f"missing key {where!r}"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem.get("ctx", {}).get("error"), InputError):
        return f"{where}: {message}" if where else message
    return f"{where}: {message[:1].lower()}{message[1:]}, got {shown(problem['input'])}"
