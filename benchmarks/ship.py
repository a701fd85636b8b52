r"""Puts a trained network into the package, with its card: measured, stored small, checked.

    SR_DATA=path/to/data python -m benchmarks.ship x4-320k path/to/training \
        --about "Found by a search of the space fast." --made-by "python -m benchmarks.proven"
    python -m benchmarks.ship --latency        # of all that ship, again, in turns

The training is a folder of `nas train`, of which the last weights are taken, or a .safetensors
file: of its own folder the card takes data, recipe, steps, seed and teacher (``--training`` names
another one, where the network was compressed since). The network is folded first. Its weights are
stored in half the bytes where that costs no more than 0.001 dB on the validation photos (the last
20 of BSD200, their middles), else in float32; over 1 MB it is refused. Set5 and Set14 are measured
with the weights as they are stored, and choose nothing. Latencies, of all networks that ship, are
measured in turns on one thread, at the input that makes a 1280x720 output. ``--replace`` takes the
place of one of the same name.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from benchmarks.research_data import research_data
from benchmarks.speedrun.cases import photos
from compress.fold import fold
from nas.data import Photo
from nas.evaluate.benchmark import TestSet, evaluate_together
from nas.evaluate.environment import environment
from nas.evaluate.upscale import upscale
from nas.evaluate.validate import Quality as Measured
from nas.evaluate.validate import bicubic_quality, validate
from nas.latency.network_time import measure_latency
from nas.plain import from_plain
from nas.shipped import catalog
from nas.shipped.card import NAME, Card, Latency, Quality, Training
from nas.training.folder import TRAIN_FILE
from search_spaces import InputError, Network, load, preset_names, price
from search_spaces.cost import HR_720P, lr_size
from search_spaces.files import atomic_path
from search_spaces.weights import weights_to_bytes
from search_spaces.yaml_file import read_yaml

MOST_BYTES = 1_000_000
MOST_LOST_DB = 0.001
LICENCE = "MIT"
SETS = ("Set5", "Set14")


@dataclass(frozen=True, slots=True)
class _Phase:
    steps: int


@dataclass(frozen=True, slots=True)
class _Recipe:
    name: str
    phases: tuple[_Phase, ...]


@dataclass(frozen=True, slots=True)
class _Environment:
    revision: str


@dataclass(frozen=True, slots=True)
class _Row:
    step: int


@dataclass(frozen=True, slots=True)
class _Result:
    last: _Row


@dataclass(frozen=True, slots=True)
class _Told:
    """What of train.yaml stands in a card."""

    recipe: _Recipe
    seed: int
    data: str
    train_photos: int
    environment: _Environment
    teacher: str | None = None
    init: str | None = None
    result: _Result | None = None


def main() -> None:
    """Adds a network, or times all of them anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", help="such as x4-320k")
    parser.add_argument("weights", nargs="?", type=Path, help="a training, or .safetensors")
    parser.add_argument("--about", help="what it is and whose design, in a sentence")
    parser.add_argument("--made-by", help="the command that trained it")
    parser.add_argument("--training", type=Path, help="folder that tells how it was trained")
    parser.add_argument("--replace", action="store_true")
    parser.add_argument("--latency", action="store_true", help="time all that ship, add none")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        if given.latency:
            retime()
        elif not all((given.name, given.weights, given.about, given.made_by)):
            raise InputError("expected a name, weights, --about and --made-by; see --help")
        else:
            check_name(given.name, replace=given.replace)
            weights, folder = places(given.weights, given.training)
            card = ship(
                given.name, load(weights), training_of(folder), about=given.about,
                made_by=given.made_by,
            )  # fmt: skip
            print(card.to_yaml())
    except InputError as error:
        print(f"ship: {error}", file=sys.stderr)
        sys.exit(2)


def check_name(name: str, *, replace: bool) -> None:
    """Whether a network may be called so.

    Raises:
        InputError: another form of name, or one that is taken.
    """
    if NAME.fullmatch(name) is None:
        raise InputError(f"a name of a network that ships is such as x4-320k, got {name!r}")
    if name in preset_names():
        raise InputError(f"{name} is a preset; give another name")
    if name in catalog.shipped_names() and not replace:
        raise InputError(f"{name} ships already; give another name, or --replace")


def places(weights: Path, training: Path | None) -> tuple[Path, Path]:
    """The weights' file, and the folder that tells of the training."""
    file = weights / "last.safetensors" if weights.is_dir() else weights
    return file, file.parent if training is None else training


def training_of(folder: Path) -> Training:
    """What a card says of the training in a folder.

    Raises:
        InputError: no train.yaml there, another one, or that of a training that is not finished.
    """
    path = folder / TRAIN_FILE
    told = from_plain(_Told, read_yaml(path)[0], str(path))
    steps = sum(phase.steps for phase in told.recipe.phases)
    done = 0 if told.result is None else told.result.last.step
    if done < steps:
        raise InputError(f"{folder}: trained for {done:,} of {steps:,} steps; train to the end")

    def base(name: str | None) -> str | None:
        # Where it lay is no concern of those who get the network.
        return None if name is None else Path(name).stem

    return Training(
        data=told.data, photos=told.train_photos, recipe=told.recipe.name,
        steps=steps, seed=told.seed,
        teacher=base(told.teacher), begun_with=base(told.init),
        revision=told.environment.revision,
    )  # fmt: skip


def ship(name: str, network: Network, training: Training, *, about: str, made_by: str) -> Card:
    """Measures a network and writes its weights and its card, and the latency of all others.

    Raises:
        InputError: a name of another scale, or more bytes than may ship.
    """
    network = fold(network).network
    arch = network.architecture
    if not name.startswith(f"x{arch.scale}-"):
        raise InputError(f"{name}: the network enlarges {arch.scale} times; say so in its name")
    _, judging = photos(arch.scale)
    form, content, validation = stored(network, judging)
    with atomic_path(catalog.FOLDER / f"{name}.safetensors") as temporary:
        temporary.write_bytes(content)
        network = load(temporary)
        cost, today = price(arch), _today()
        others = [card for card in catalog.cards() if card.name != name]
        own_latency, *latencies = timed(
            [network, *(load(catalog.shipped_weights(card.name)) for card in others)]
        )
        card = Card(
            name=name, about=about, scale=arch.scale, colors=arch.colors, hash=arch.hash,
            params=cost.params, macs=cost.macs, weights=form, training=training,
            validation=_beside(validation, bicubic_quality(judging, arch.scale)),
            test=tested(network), latency=own_latency, made_by=made_by, licence=LICENCE, date=today,
        )  # fmt: skip
    for one, latency in zip([card, *others], [own_latency, *latencies], strict=True):
        _write(one.model_copy(update={"latency": latency}))
    return card


def stored(
    network: Network, judging: Sequence[Photo]
) -> tuple[Literal["float16", "float32"], bytes, Measured]:
    """The file's number format, its content, and what the network is worth as it is stored.

    Raises:
        InputError: more bytes than may ship.
    """
    arch = network.architecture
    half = copy.deepcopy(network).half()
    rounded = copy.deepcopy(half).float()
    measured = partial(validate, photos=judging, scale=arch.scale, colors=arch.colors)
    whole, small = measured(network), measured(rounded)
    lost_db = whole.psnr_y_db - small.psnr_y_db
    print(f"float16 instead of float32 costs {lost_db:+.5f} dB on the validation photos")
    fits = lost_db <= MOST_LOST_DB
    content = weights_to_bytes(half if fits else network)
    if len(content) > MOST_BYTES:
        raise InputError(
            f"{len(content):,} bytes in {'float16' if fits else 'float32'}; expected at most "
            f"{MOST_BYTES:,}: prune the network, or train it so that halves suffice"
        )
    return ("float16", content, small) if fits else ("float32", content, whole)


def tested(network: Network) -> Mapping[str, Quality]:
    """Set5 and Set14 by the papers' protocol, and bicubic upscaling there."""
    from nas.data.degradation import bicubic_up

    scale, colors = network.architecture.scale, network.architecture.colors
    enlargers = [
        partial(upscale, network, scale=scale, colors=colors),
        partial(bicubic_up, scale=scale),
    ]
    return {
        name: _beside(
            *evaluate_together(
                enlargers, TestSet.open(name, research_data() / "test" / name, scale)
            )
        )
        for name in SETS
    }


def timed(networks: Sequence[Network]) -> list[Latency]:
    """Networks of one scale and of the same colours in turns with each other."""
    found: dict[int, Latency] = {}
    kinds = [(one.architecture.scale, one.architecture.colors) for one in networks]
    for scale, colors in dict.fromkeys(kinds):
        own = [k for k, kind in enumerate(kinds) if kind == (scale, colors)]
        size = lr_size(scale, HR_720P)
        results = measure_latency(
            [networks[k] for k in own], lr_size=size, threads=1, colors=colors
        )
        for k, result in zip(own, results, strict=True):
            found[k] = Latency(
                latency_ms=round(result.latency_ms, 2), lr_size=size, threads=result.threads,
                processor=environment().cpu, torch=environment().versions["torch"], date=_today(),
            )  # fmt: skip
    return [found[k] for k in range(len(networks))]


def retime() -> None:
    """Writes the latency of every network that ships anew."""
    cards = catalog.cards()
    networks = [load(catalog.shipped_weights(card.name)) for card in cards]
    for card, latency in zip(cards, timed(networks), strict=True):
        print(f"{card.name}: {card.latency.latency_ms} ms before, {latency.latency_ms} ms now")
        _write(card.model_copy(update={"latency": latency}))


def _beside(quality: Measured, bicubic: Measured) -> Quality:
    return Quality(
        psnr_y_db=round(quality.psnr_y_db, 4), ssim_y=round(quality.ssim_y, 5),
        bicubic_psnr_y_db=round(bicubic.psnr_y_db, 4), bicubic_ssim_y=round(bicubic.ssim_y, 5),
    )  # fmt: skip


def _write(card: Card) -> None:
    with atomic_path(catalog.FOLDER / f"{card.name}.yaml") as temporary:
        temporary.write_text(card.to_yaml(), encoding="utf-8")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


if __name__ == "__main__":
    main()
