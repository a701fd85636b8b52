"""What of a distillation block pruning may lower, and the form in which it can."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from search_spaces.attention import ATTENTIONS
from search_spaces.blocks.unsliced import Weights
from search_spaces.convs import CONVS
from search_spaces.errors import NotPossible
from search_spaces.inner import TRUNK, Inner, free, within

__all__ = ["unsplit", "widths"]


def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
    """Every width that no addition ties to another, of a block without a split."""
    refined, distilled, shallow = (
        options[name] for name in ("refined", "distilled", "shallow_residual")
    )
    # Nothing but a fusing 1x1 makes C channels of what is concatenated.
    adds_up = not options["fuse"] or options["residual"] == "fuse"
    tied = adds_up and options["last_residual"] and refined and not shallow
    if tied or (adds_up and distilled):
        yield Inner(TRUNK, channels, channels)
    if shallow:
        yield Inner(("refined",), None)
    else:
        for k, width in enumerate(refined):
            stays = tied and k == len(refined) - 1
            yield Inner(("refined", k), width, width if stays else 1)
    if not adds_up:
        yield from free("distilled", distilled)
    if options["last_residual"] or (adds_up and not distilled):
        yield Inner(("last",), None)
    elif not adds_up:
        yield Inner(("last",), options["last"])
    yield from within("convolution", CONVS.widths(options["convolution"]))
    for name in ("attention", "distilled_attention"):
        if options[name] is not None:
            yield from within(name, ATTENTIONS.widths(options[name]))


def unsplit(options: Mapping[str, Any], weights: Weights) -> tuple[Mapping[str, Any], Weights]:
    """A splitting block as one that distils beside the stream, with equal outputs.

    IMDN's split convolution is two convolutions, DL and RL, that share their input (RFDN,
    eqs. 3-4): its weights are cut row-wise.

    Raises:
        NotPossible: a split that has no such form.
    """
    if options["distillation"] != "split":
        return options, weights
    if options["convolution"].kind != "plain" or options["shallow_residual"]:
        raise NotPossible(
            f"a split after {options['convolution'].kind} convolutions"
            f"{' with shallow residuals' if options['shallow_residual'] else ''} cannot be "
            f"pruned; expected plain convolutions there"
        )
    changed, first = dict(weights), options["distilled_first"]
    for k, (distilled, refined) in enumerate(
        zip(options["distilled"], options["refined"], strict=True)
    ):
        sizes = (distilled, refined) if first else (refined, distilled)
        pairs = {f"stages.{k}.conv.{sort}": f"distill.{k}.{sort}" for sort in ("weight", "bias")}
        if not options["convolution"]["bias"]:
            # What distils beside the stream has one in any case.
            del pairs[f"stages.{k}.conv.bias"]
            changed[f"distill.{k}.bias"] = weights[f"stages.{k}.conv.weight"].new_zeros(distilled)
        # What an activation has learnt of the channels before they part.
        bent = f"activations.{k}."
        pairs |= {name: f"distill_{name}" for name in weights if name.startswith(bent)}
        for name, aside in pairs.items():
            cut = changed[name].split(sizes)
            kept, stream = cut if first else cut[::-1]
            changed[name], changed[aside] = stream, kept
    plain = {"distillation": "fdc", "distilled_first": True}
    return {**options, **plain, "distill_kernel": options["convolution"]["kernel"]}, changed
