"""How the options of a distillation block depend on each other and on its width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search_spaces.errors import InputError

__all__ = ["canonical", "stage_outputs"]


def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with every width filled in.

    Raises:
        InputError: widths that do not fit together, or a setting without effect.
    """
    full = dict(options)
    if full["distillation"] is None:
        if full["stages"] > 1:
            raise InputError("missing key 'distillation': none, split or fdc")
        full["distillation"] = "none"
    _reject_without_effect(full)
    count = full["stages"] - 1
    split = full["distillation"] == "split"
    narrowing = split and full["shallow_residual"]
    if full["distilled"] is None and narrowing:
        full["distilled"] = channels // full["stages"]
    elif full["distilled"] is None and full["distillation"] != "none":
        raise InputError("missing key 'distilled': the widths that are set aside")
    if full["distillation"] == "none":
        full["distilled"] = ()
    else:
        full["distilled"] = _expand("distilled", full["distilled"], count)
    if full["refined"] is None:
        full["refined"] = _default_refined(channels, count, full["distilled"], split, narrowing)
    full["refined"] = _expand("refined", full["refined"], count)
    if full["last"] is None:
        alone = not full["distilled"] and (not full["fuse"] or full["residual"] == "fuse")
        full["last"] = channels if alone or not full["refined"] else full["refined"][-1]
    _check_widths(channels, full)
    return full


def stage_outputs(
    distillation: str, distilled: tuple[int, ...], refined: tuple[int, ...]
) -> tuple[int, ...]:
    """The widths that the stages' convolutions make, of all but the last."""
    if distillation == "split":
        return tuple(d + r for d, r in zip(distilled, refined, strict=True))
    return refined


def _expand(name: str, widths: int | tuple[int, ...], count: int) -> tuple[int, ...]:
    spread = (widths,) * count if isinstance(widths, int) else widths
    if len(spread) != count:
        raise InputError(
            f"{name}: expected one width or {count} of them (stages - 1), got {list(spread)}"
        )
    if any(width < 1 for width in spread):
        raise InputError(f"{name}: expected widths of at least 1, got {list(spread)}")
    return spread


def _default_refined(
    channels: int, count: int, distilled: tuple[int, ...], split: bool, narrowing: bool
) -> tuple[int, ...]:
    if narrowing:
        return tuple(channels - sum(distilled[: k + 1]) for k in range(count))
    return tuple(channels - width for width in distilled) if split else (channels,) * count


def _reject_without_effect(options: Mapping[str, Any]) -> None:
    fdc, split = (options["distillation"] == kind for kind in ("fdc", "split"))
    distills = (fdc or split) and options["stages"] > 1
    rules = (
        ("distillation", "none", options["stages"] > 1, "more than one stage"),
        ("distilled", None, distills, "distillation"),
        ("distilled_attention", None, distills, "distillation"),
        ("refined", None, options["stages"] > 1, "more than one stage"),
        ("shallow_residual", False, options["stages"] > 1, "more than one stage"),
        ("distill_kernel", 1, fdc, "distillation fdc"),
        ("distill_activation", True, fdc, "distillation fdc"),
        ("distilled_first", True, split, "distillation split"),
        # Without a fusing 1x1 there is no place before it.
        ("attention_place", "after", options["attention"] and options["fuse"], "both of them"),
    )
    for name, default, applies, needed in rules:
        value = options[name]
        if not applies and value != default and value != ():
            raise InputError(f"{name}: {value!r} has no effect without {needed}: leave it out")


def _check_widths(channels: int, options: Mapping[str, Any]) -> None:
    refined, distilled, last = options["refined"], options["distilled"], options["last"]
    outputs = stage_outputs(options["distillation"], distilled, refined)
    inputs = (channels, *refined)
    if options["shallow_residual"] and any(i != o for i, o in zip(inputs, outputs, strict=False)):
        raise InputError(
            f"shallow_residual: every stage must keep its width, got stages from "
            f"{list(inputs[:-1])} to {list(outputs)}"
        )
    if options["last_residual"] and last != inputs[-1]:
        raise InputError(f"last_residual: last must be {inputs[-1]}, its input, got {last}")
    total = sum(distilled) + last
    if not options["fuse"] and total != channels:
        raise InputError(f"fuse: false needs widths that add up to {channels}, got {total}")
    if options["residual"] == "fuse" and (not options["fuse"] or total != channels):
        raise InputError(
            f"residual: 'fuse' needs a fusing 1x1 on {channels} channels, got {total} channels"
            f" and fuse: {options['fuse']}"
        )
