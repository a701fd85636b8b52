"""What settings of a search are made of: how each kind is read from what a user gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationInfo,
)

from nas.budget import Budget, parse_budgets
from nas.data.degradations import Chain, load_chain
from nas.evaluate.threads import shown_threads
from nas.explore.sampler import SAMPLERS
from nas.latency.command.setup import DeviceCommands
from nas.latency.model import LatencyModel, model_for
from nas.objectives import OBJECTIVES, canonical
from nas.plain import from_plain
from nas.size import parse_size
from search_spaces import Space
from search_spaces.errors import InputError

__all__ = [
    "Budgets", "CommandLimit", "Commands", "Count", "Degradation", "FittedModel", "Number",
    "Objectives",
    "Pattern", "SamplerName", "SearchSpace", "Seconds", "Size", "parse_seconds",
]  # fmt: skip

_TEXT = (str, Path)


def parse_seconds(text: str) -> float:
    """Seconds from ``90``, ``90s``, ``5m`` or ``2h``.

    Raises:
        InputError: anything else.
    """
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)([smh]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise InputError(f"timeout {text!r}: expected a time such as 90s, 5m or 2h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _texts(given: object, name: str) -> tuple[str, ...]:
    return from_plain(tuple[str, ...], [given] if isinstance(given, str) else given, name)


def _objectives(given: object) -> tuple[str, ...]:
    listed = given.split(",") if isinstance(given, str) else _texts(given, "objectives")
    names = tuple(map(canonical, listed))
    for name in names:
        if name not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise InputError(f"objectives: unknown {name!r}; expected some of {known}")
    if len(set(names)) != len(names):
        raise InputError(f"objectives: expected each one once, got {', '.join(names)}")
    if "psnr" not in names:
        raise InputError(f"objectives: expected psnr among them, got {', '.join(names)}")
    return names


def _sampler(name: str) -> str:
    if name not in SAMPLERS:
        raise InputError(f"sampler: expected one of {', '.join(SAMPLERS)}, got {name!r}")
    return name


def _by_text(read: Callable[[str], object]) -> BeforeValidator:
    return BeforeValidator(lambda given: read(str(given)) if isinstance(given, _TEXT) else given)


def _commands(given: object) -> tuple[str, ...]:
    texts = _texts(given, "latency_command")
    if texts:
        DeviceCommands.of(texts)
    return texts


def _of_command(value: Any, info: ValidationInfo) -> Any:
    """What only a command has: nothing is said where that is refused already."""
    if "latency_command" in info.data:
        pattern, limit_s = (value, None) if isinstance(value, str) else (None, value)
        DeviceCommands.given(info.data["latency_command"], pattern, limit_s)
    return value


def _latency_model(given: object, info: ValidationInfo) -> object:
    if given is not None and info.data.get("latency_command"):
        raise InputError(
            "latency_model: a model or a --latency-command says latencies: leave one of them out"
        )
    if not isinstance(given, _TEXT):
        return given
    # What is refused already is not there.
    size, scale, place = map(info.data.get, ("latency_size", "scale", "device"))
    elsewhere = info.data.get("latency_elsewhere", False)
    return model_for(given, lr_size=size, scale=scale or 0, place=place, elsewhere=elsewhere)


def _threads(count: int, info: ValidationInfo) -> int:
    model = info.data.get("latency_model")
    if model is not None and model.device.threads not in (None, count):
        raise InputError(
            f"threads: the latency model is of {shown_threads(model.device.threads)}, not of "
            f"{count}: leave --threads out, or take a model of that number (nas latency fit)"
        )
    return count


Count: TypeAlias = Annotated[int, Field(strict=True, ge=1)]
Threads: TypeAlias = Annotated[Count, AfterValidator(_threads)]
Number: TypeAlias = Annotated[float, Field(strict=True)]
Budgets: TypeAlias = Annotated[
    tuple[Budget, ...],
    BeforeValidator(lambda given: parse_budgets(_texts(given, "budget"))),
    PlainSerializer(lambda budgets: [budget.text for budget in budgets]),
]
Objectives: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_objectives)]
SamplerName: TypeAlias = Annotated[str, AfterValidator(_sampler)]
SearchSpace: TypeAlias = Annotated[
    InstanceOf[Space], _by_text(Space.load), PlainSerializer(lambda space: space.to_dict())
]
Commands: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_commands)]
Pattern: TypeAlias = Annotated[str, AfterValidator(_of_command)]
CommandLimit: TypeAlias = Annotated[Number, Field(gt=0), AfterValidator(_of_command)]
Seconds: TypeAlias = Annotated[Number, _by_text(parse_seconds)]
Degradation: TypeAlias = Annotated[
    InstanceOf[Chain], _by_text(load_chain), PlainSerializer(lambda chain: chain.to_plain())
]
Size: TypeAlias = Annotated[
    tuple[Count, Count], _by_text(lambda text: parse_size(text, "--latency-size"))
]
FittedModel: TypeAlias = Annotated[
    InstanceOf[LatencyModel],
    BeforeValidator(_latency_model),
    PlainSerializer(lambda model: model.to_dict()),
]
