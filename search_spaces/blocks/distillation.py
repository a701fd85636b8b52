"""The information-distillation block: one parametric block for IMDB, RFDB, MRDB and kin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.attention import ATTENTIONS, AttentionPart
from search_spaces.blocks import distillation_pruning
from search_spaces.blocks.widths import Widths
from search_spaces.convs import CONVS, ConvPart
from search_spaces.errors import InputError
from search_spaces.layer import Layer, Size, conv, scalars
from search_spaces.part import Part

__all__ = ["DistillationBlock"]

Width = Annotated[int, Ge(1)]


_PLAIN = Part("plain", (("kernel", 3),))


class DistillationBlock(nn.Module):
    """Stages of convolutions that set features aside, then a fusion and an attention.

    Stage k of ``stages`` convolves the stream; after all but the last, part of it is
    distilled: ``split`` cuts the first ``distilled[k]`` channels off the convolution's
    output (IMDN), ``fdc`` takes them by a convolution of their own beside it (feature
    distillation connection, RFDN eq. 9-10), ``none`` keeps a plain chain. The distilled
    parts and the last stage's output are concatenated, fused by a 1x1, weighted by
    attention, and joined with the block's input.

    Args:
        channels: width C of input and output.
        activation: the activation after every stage.
        stages: convolutions in the stream, the last one included.
        distillation: ``"none"``, ``"split"`` or ``"fdc"``; a single stage has nothing to distil.
        distilled: widths set aside after each stage but the last (one number: all alike).
        refined: widths that go on after each stage but the last (likewise).
        last: width of the last stage's output.
        distill_kernel: side of the distilling convolutions (``fdc`` only).
        distill_activation: activation on the distilled parts (``fdc`` only).
        convolution: the kind of the stream's convolutions.
        shallow_residual: each stage is act(conv(y) + y), RFDN's shallow residual block.
        last_residual: the same for the last stage.
        last_activation: activation after the last stage.
        distilled_first: ``split`` sets the first channels aside (else the last ones).
        distilled_attention: a part that every distilled slice passes through.
        fuse: a 1x1 convolution to C after the concatenation; without it the widths must
            add up to C.
        attention: the block's attention.
        attention_place: ``"before"`` or ``"after"`` the fusing 1x1.
        residual: how the block's input joins: ``"none"``, ``"output"`` (added at the end),
            ``"fuse"`` (added before the 1x1) or ``"weighted"`` (a*out + b*input, two
            learnable numbers that start at 1).

    Widths left out are filled in: ``distilled`` has no default but in a narrowing split
    (split with shallow residuals: C // stages); ``refined`` is C, or C - distilled for
    ``split``, or what is left over for a narrowing one.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        stages: Annotated[int, Ge(1), Le(16)],
        distillation: Literal["none", "split", "fdc"] | None = None,
        distilled: Widths = None,
        refined: Widths = None,
        last: Width | None = None,
        distill_kernel: Literal[1, 3] = 1,
        distill_activation: bool = True,
        convolution: ConvPart = _PLAIN,
        shallow_residual: bool = False,
        last_residual: bool = False,
        last_activation: bool = True,
        distilled_first: bool = True,
        distilled_attention: AttentionPart | None = None,
        fuse: bool = True,
        attention: AttentionPart | None = None,
        attention_place: Literal["before", "after"] = "after",
        residual: Literal["none", "output", "fuse", "weighted"] = "output",
    ) -> None:
        super().__init__()
        # Canonical options carry everything, widths as tuples.
        assert distillation is not None
        assert isinstance(distilled, tuple)
        assert isinstance(refined, tuple)
        assert last is not None
        self.distillation, self.distilled, self.refined = distillation, distilled, refined
        self.shallow_residual, self.last_residual = shallow_residual, last_residual
        self.distilled_first, self.attention_place = distilled_first, attention_place
        inputs = (channels, *refined)
        outputs = _stage_outputs(distillation, distilled, refined)
        self.stages = nn.ModuleList(
            CONVS.make(convolution, *widths) for widths in zip(inputs, outputs, strict=False)
        )
        self.distill = nn.ModuleList(
            nn.Conv2d(i, o, distill_kernel, padding=distill_kernel // 2)
            for i, o in zip(inputs, distilled if distillation == "fdc" else (), strict=False)
        )
        self.activation = ACTIVATIONS.make(activation)
        self.distill_activation = self.activation if distill_activation else nn.Identity()
        self.distilled_attention = nn.ModuleList(
            ATTENTIONS.make(distilled_attention, width)
            for width in distilled
            if distilled_attention is not None
        )
        self.last = CONVS.make(convolution, inputs[-1], last)
        self.last_activation = self.activation if last_activation else nn.Identity()
        total = sum(distilled) + last
        self.fuse = nn.Conv2d(total, channels, 1) if fuse else nn.Identity()
        place_width = total if attention_place == "before" else channels
        self.attention = (
            nn.Identity() if attention is None else ATTENTIONS.make(attention, place_width)
        )
        self.residual = residual
        if residual == "weighted":
            self.weights = nn.Parameter(torch.ones(2))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        kept: list[Tensor] = []
        stream = x
        for k, stage in enumerate(self.stages):
            y = stage(stream)
            y = self.activation(y + stream if self.shallow_residual else y)
            if self.distillation == "split":
                slice_, y = self._split(y, self.distilled[k], self.refined[k])
                kept.append(slice_)
            elif self.distillation == "fdc":
                kept.append(self.distill_activation(self.distill[k](stream)))
            stream = y
        if self.distilled_attention:
            kept = [gate(y) for gate, y in zip(self.distilled_attention, kept, strict=True)]
        y = self.last(stream)
        y = self.last_activation(y + stream if self.last_residual else y)
        y = torch.cat([*kept, y], dim=1) if kept else y
        if self.attention_place == "before":
            y = self.attention(y)
        y = self.fuse(y + x if self.residual == "fuse" else y)
        if self.attention_place == "after":
            y = self.attention(y)
        if self.residual == "weighted":
            y = y * self.weights[0] + x * self.weights[1]
        out: Tensor = y + x if self.residual == "output" else y
        return out

    def _split(self, y: Tensor, distilled: int, refined: int) -> tuple[Tensor, Tensor]:
        if self.distilled_first:
            return y[:, :distilled], y[:, distilled:]
        return y[:, refined:], y[:, :refined]

    @staticmethod
    def layers(channels: int, size: Size, **options: Any) -> Iterator[Layer]:
        """Every convolution of the block, from its canonical options."""
        distilled, refined, last = options["distilled"], options["refined"], options["last"]
        inputs = (channels, *refined)
        outputs = _stage_outputs(options["distillation"], distilled, refined)
        for k, widths in enumerate(zip(inputs, (*outputs, last), strict=True)):
            for layer in CONVS.layers(options["convolution"], *widths, size):
                yield layer._replace(name=f"stage{k + 1}.{layer.name}")
        if options["distillation"] == "fdc":
            kernel = options["distill_kernel"]
            for k, (width_in, width) in enumerate(zip(inputs, distilled, strict=False)):
                yield conv(f"distill{k + 1}", width_in, width, kernel, size)
        if options["distilled_attention"] is not None:
            for k, width in enumerate(distilled):
                for layer in ATTENTIONS.layers(options["distilled_attention"], width, size):
                    yield layer._replace(name=f"distilled_attention{k + 1}.{layer.name}")
        total = sum(distilled) + last
        if options["fuse"]:
            yield conv("fuse", total, channels, 1, size)
        if options["attention"] is not None:
            width = total if options["attention_place"] == "before" else channels
            for layer in ATTENTIONS.layers(options["attention"], width, size):
                yield layer._replace(name=f"attention.{layer.name}")
        if options["residual"] == "weighted":
            yield scalars("weights", 2)

    @staticmethod
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

    widths = staticmethod(distillation_pruning.widths)
    unsplit = staticmethod(distillation_pruning.unsplit)


def _stage_outputs(
    distillation: str, distilled: tuple[int, ...], refined: tuple[int, ...]
) -> tuple[int, ...]:
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
    outputs = _stage_outputs(options["distillation"], distilled, refined)
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
