"""What every part has to keep to. A new line in a table is picked up here by itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import pytest
import torch
from torch import Tensor

from search_spaces import Architecture, InputError, Price
from search_spaces.activations import ACTIVATIONS
from search_spaces.attention import ATTENTIONS
from search_spaces.blocks import BLOCKS
from search_spaces.convs import CONVS
from search_spaces.fusions import FUSIONS
from search_spaces.part import Part, Table
from search_spaces.skips import SKIPS
from search_spaces.stems import STEMS
from search_spaces.upsamplers import UPSAMPLERS
from tests.search_spaces_tests.conftest import run_counted

CHANNELS, COLORS, BLOCK_COUNT, SCALE = 16, 3, 3, 3
SIZES = [(1, 1), (1, 2), (3, 2), (5, 7), (14, 15), (15, 14), (15, 15), (16, 16), (17, 31)]
ACTIVATION = ACTIVATIONS.parse("leaky_relu")
# One that has learned slopes, too: they are priced.
EVERY_ACTIVATION = [ACTIVATIONS.parse(kind) for kind in ACTIVATIONS]

# Blocks whose options depend on each other need a start that is valid.
STARTS: dict[str, list[dict[str, Any]]] = {
    "distillation": [
        {"stages": 1, "distillation": "none"},
        {"stages": 4, "distillation": "none", "refined": [12, 8, 10], "last": 16},
        {"stages": 3, "distillation": "none", "last_residual": True, "fuse": False},
        {"stages": 4, "distillation": "fdc", "distilled": 4},
        {"stages": 3, "distillation": "fdc", "distilled": [3, 5], "refined": [9, 14], "last": 7}
        | {"attention": "pa"},
        {"stages": 4, "distillation": "split", "distilled": 4, "last": 4},
        {"stages": 3, "distillation": "split", "distilled": [5, 4], "refined": [8, 6], "last": 7},
        {"stages": 4, "distillation": "split", "shallow_residual": True, "last_residual": True},
    ],
    "enhancement": [{"distilled": 4, "groups": 2}],
    "plain": [{}, {"convolutions": 3, "inner": [12, 9]}],
}


class Sort(NamedTuple):
    """How the parts of one table are made, fed and written into an architecture."""

    table: Table
    widths: list[tuple[Any, ...]]  # the constructor's positional arguments
    sized: Callable[[tuple[Any, ...]], tuple[Any, ...]]  # the same for layers(), without size
    inputs: Callable[[tuple[Any, ...], int, int], tuple[Any, ...]]
    shape: Callable[[tuple[Any, ...], int, int], tuple[int, ...]]
    field: Callable[[Any], dict[str, Any]]


def features(channels: int, h: int, w: int) -> Tensor:
    return torch.randn(1, channels, h, w)


def in_block(**options: Any) -> dict[str, Any]:
    return {"blocks": [{"kind": "distillation", "stages": 2, "distillation": "none", **options}]}


SORTS = {
    "conv": Sort(
        CONVS,
        [(CHANNELS, CHANNELS), (CHANNELS, 10)],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w),),
        lambda a, h, w: (1, a[1], h, w),
        lambda part: in_block(convolution=part),
    ),
    "attention": Sort(
        ATTENTIONS,
        [(CHANNELS,)],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w),),
        lambda a, h, w: (1, a[0], h, w),
        lambda part: in_block(attention=part),
    ),
    "stem": Sort(
        STEMS,
        [(COLORS, CHANNELS, one) for one in EVERY_ACTIVATION] + [(1, CHANNELS, ACTIVATION)],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w),),
        lambda a, h, w: (1, a[1], h, w),
        lambda part: {"stem": part},
    ),
    "block": Sort(
        BLOCKS,
        [(CHANNELS, one) for one in EVERY_ACTIVATION],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w),),
        lambda a, h, w: (1, a[0], h, w),
        lambda part: {"blocks": [part]},
    ),
    "fusion": Sort(
        FUSIONS,
        [(CHANNELS, BLOCK_COUNT, one) for one in EVERY_ACTIVATION] + [(CHANNELS, 1, ACTIVATION)],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w), [features(a[0], h, w) for _ in range(a[1])]),
        lambda a, h, w: (1, a[0], h, w),
        lambda part: {"fusion": part},
    ),
    "upsampler": Sort(
        UPSAMPLERS,
        [(CHANNELS, COLORS, scale, ACTIVATION) for scale in (2, 3, 4)]
        + [(CHANNELS, 1, SCALE, one) for one in EVERY_ACTIVATION],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w), features(a[1], h, w)),
        lambda a, h, w: (1, a[1], a[2] * h, a[2] * w),
        lambda part: {"upsampler": part},
    ),
    "image_skip": Sort(
        SKIPS,
        [(COLORS, scale) for scale in (2, 3, 4)] + [(1, SCALE)],
        lambda a: a,
        lambda a, h, w: (features(a[0], h, w),),
        lambda a, h, w: (1, a[0], a[1] * h, a[1] * w),
        lambda part: {"image_skip": part},
    ),
    "activation": Sort(
        ACTIVATIONS,
        [(CHANNELS,)],
        lambda a: a,
        lambda a, h, w: (features(CHANNELS, h, w),),
        lambda a, h, w: (1, CHANNELS, h, w),
        lambda part: {"activation": part},
    ),
}


def starts(table: Table, kind: str) -> list[dict[str, Any]]:
    """Valid options of a part: those above, or the first value of each required one."""
    if table is BLOCKS and kind in STARTS:
        return STARTS[kind]
    part_class = table[kind]
    hints = get_type_hints(part_class.__init__)
    return [
        {
            p.name: get_args(hints[p.name])[0] if get_origin(hints[p.name]) is Literal else 8
            for p in inspect.signature(part_class).parameters.values()
            if p.kind is p.KEYWORD_ONLY and p.default is p.empty
        }
    ]


def changes(table: Table, kind: str) -> Iterator[dict[str, Any]]:
    """Each value that one option can take besides its default."""
    part_class = table[kind]
    hints = get_type_hints(part_class.__init__, include_extras=True)
    for p in inspect.signature(part_class).parameters.values():
        if p.kind is not p.KEYWORD_ONLY or p.default is p.empty:
            continue
        hint = hints[p.name]
        if isinstance(p.default, bool):
            yield {p.name: not p.default}
        if get_origin(hint) is Literal:
            yield from ({p.name: value} for value in get_args(hint) if value != p.default)
        for candidate in (hint, *get_args(hint)):
            for nested in getattr(candidate, "__metadata__", ()):
                if isinstance(nested, Table):
                    yield from (
                        {p.name: {"kind": k, **o}} for k in nested for o in starts(nested, k)
                    )


def parts_of(sort: str) -> Iterator[Any]:
    table = SORTS[sort].table
    # No image skip is no module that runs: a network without one adds nothing.
    for kind in table if sort != "image_skip" else [k for k in table if k != "none"]:
        for n, start in enumerate(starts(table, kind)):
            yield pytest.param(sort, canonical(table, {"kind": kind, **start}), id=f"{kind}{n}")
            for change in changes(table, kind):
                try:
                    part = canonical(table, {"kind": kind, **start, **change})
                except InputError:
                    continue  # without effect or not fitting here; it fits another start
                ((name, value),) = change.items()
                label = value["kind"] if isinstance(value, dict) else value
                yield pytest.param(sort, part, id=f"{kind}{n}-{name}={label}")


def canonical(table: Table, plain: dict[str, Any]) -> Part:
    return table.canonical(table.parse(plain), CHANNELS)


EVERY_PART = [part for sort in SORTS for part in parts_of(sort)]
every_part = pytest.mark.parametrize(("sort", "part"), EVERY_PART)


def test_every_option_value_is_tried() -> None:
    """No value of an option is rejected with every start, or it would go untested."""
    tried = {id_ for parameter in EVERY_PART if (id_ := parameter.id)}
    for sort in SORTS.values():
        for kind in sort.table:
            for change in changes(sort.table, kind):
                ((name, value),) = change.items()
                label = value["kind"] if isinstance(value, dict) else value
                ids = {f"{kind}{n}-{name}={label}" for n in range(len(starts(sort.table, kind)))}
                assert ids & tried, f"{sort.table.sort} {kind}: {change} fits no start"


@every_part
def test_shape_and_price(sort: str, part: Part) -> None:
    s = SORTS[sort]
    for n, args in enumerate(s.widths):
        module = s.table.make(part, *args).eval()
        # Widths differ in numbers alone: all sizes once, the rest on two.
        for h, w in SIZES if n == 0 else SIZES[::7]:
            output, counted = run_counted(module, *s.inputs(args, h, w))
            assert tuple(output.shape) == s.shape(args, h, w)
            sized = args if sort == "activation" else (*s.sized(args), (h, w))
            layers = list(s.table.layers(part, *sized))
            assert counted == Price(
                sum(layer.params for layer in layers),
                sum(layer.macs for layer in layers),
                sum(layer.activations for layer in layers),
            )
            names = [layer.name for layer in layers]
            assert len(set(names)) == len(names)


@every_part
def test_gradient_reaches_every_parameter(sort: str, part: Part) -> None:
    s = SORTS[sort]
    args = s.widths[0]
    reached: set[str] = set()
    names: set[str] = set()
    for seed in range(4):  # a ReLU may be dead by chance, not every time
        torch.manual_seed(seed)
        module = s.table.make(part, *args).train()
        (first, *rest) = s.inputs(args, 16, 17)
        first.requires_grad_()
        # Fresh tensors, as activations work in place.
        more = ([y + first.mean() for y in one] if isinstance(one, list) else one for one in rest)
        output = module(first * 1, *more)
        (output * torch.randn_like(output)).sum().backward()
        names = {name for name, _ in module.named_parameters()} | {"input"}
        grads = {name: p.grad for name, p in module.named_parameters()} | {"input": first.grad}
        for name, grad in grads.items():
            if grad is not None:
                assert grad.isfinite().all(), name
                if grad.any():
                    reached.add(name)
        if reached == names:
            break
    assert reached == names


@every_part
def test_yaml_round_trip(sort: str, part: Part, tmp_path: Path) -> None:
    plain = {"scale": SCALE, "channels": CHANNELS, "blocks": ["spab"]}
    arch = Architecture.from_dict({**plain, **SORTS[sort].field(part.to_plain())})
    arch.save(tmp_path / "network.yaml")
    again = Architecture.load(tmp_path / "network.yaml")
    assert again == arch
    assert again.hash == arch.hash
    assert again.to_dict() == arch.to_dict()
