"""The network that a name on the command line means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nas.deploy.runtimes import TORCH, runtime_of
from nas.shipped.catalog import card_of, looks_shipped, shipped_names, shipped_weights
from nas.training.state import seeded
from search_spaces.architecture import Architecture
from search_spaces.catalog import preset, preset_names
from search_spaces.errors import InputError
from search_spaces.network import Network, build
from search_spaces.regular import irregular
from search_spaces.weights import WEIGHTS, load

if TYPE_CHECKING:
    from nas.shipped.card import Card
    from nas.upscale.runtime_network import RuntimeNetwork

__all__ = [
    "any_network", "architecture_of", "has_weights", "is_run", "runnable", "shipped_card",
    "trained_network", "weights_file",
]  # fmt: skip


def is_run(path: Path | str) -> bool:
    """Whether a run folder of a search is there."""
    return (Path(path) / "run.yaml").is_file()


def has_weights(name: Path | str) -> bool:
    """Whether the name is not that of a .yaml file or of a preset."""
    path = Path(name)
    known = path.exists() or path.suffix != "" or looks_shipped(str(name))
    return not _is_config(path) and known


def shipped_card(name: Path | str) -> Card | None:
    """The card of the network that ships, if that is what the name means.

    A file or folder of this name is meant before it.

    Raises:
        InputError: a name of such networks, of which none ships.
    """
    return card_of(str(name)) if looks_shipped(str(name)) and not Path(name).exists() else None


def weights_file(name: Path | str) -> Path | None:
    """The .safetensors file of this name, in a folder of nas export of this name, or shipped.

    Raises:
        InputError: as `shipped_card`.
    """
    path = Path(name)
    if (card := shipped_card(name)) is not None:
        return shipped_weights(card.name)
    if path.is_dir():
        return path / WEIGHTS if (path / WEIGHTS).is_file() else None
    return path if has_weights(path) else None


def trained_network(
    name: Path | str, *, trial: str = "best", storage: str | None = None
) -> Network:
    """The network with its weights: of a file, a folder of nas export or a run; or one that ships.

    Args:
        name: the file or folder, or that of a network that ships.
        trial: of a run: ``"best"`` or a number.
        storage: URL of the run's store, if it needs a password.

    Raises:
        InputError: nothing there, no weights in it, or not those of its architecture.
    """
    path = Path(name)
    file = weights_file(path)
    if path.is_dir() and file is None:
        return _of_run(path, trial, storage)
    _no_run(name, trial)
    if _is_config(path):
        raise InputError(
            f"{path}: a config without weights; expected a .safetensors file or a run folder"
        )
    file = file or path
    if problem := irregular(file):
        hint = " (presets have no trained weights)" if str(name) in preset_names() else ""
        raise InputError(
            f"{path}: {problem}{hint}; expected a .safetensors file, a folder, or the name of a "
            f"network that ships: {', '.join(shipped_names())}"
        )
    if path.suffix in (".pth", ".pt", ".ckpt"):
        raise InputError(
            f"{path}: expected a .safetensors file; published checkpoints have to be imported "
            f"first: nas import {path} -o net.safetensors"
        )
    # Of a folder, its config is compared with the weights.
    return load(path if path.is_dir() else file)


def runnable(
    name: Path | str, *, trial: str = "best", runtime: str | None = None
) -> Network | RuntimeNetwork:
    """The network with its weights, ready for images: see `trained_network`; or an exported file.

    Args:
        name: the file or folder, or that of a network that ships.
        trial: of a run: ``"best"`` or a number.
        runtime: ``"torch"`` or one of `nas.deploy.runtimes.RUNTIMES`; None: the file's own.

    Raises:
        InputError: none of these, another runtime, or one that cannot run the file.
    """
    from nas.upscale.runtime_network import RuntimeNetwork

    if runtime_of(name, runtime) is not None:
        _no_run(name, trial)
        return RuntimeNetwork.of_file(name, runtime=runtime)
    network = trained_network(name, trial=trial)
    return network if runtime in (None, TORCH) else RuntimeNetwork.of_network(network, runtime)


def any_network(name: Path | str, scale: int = 4, *, trial: str = "best", seed: int = 0) -> Network:
    """The same, or that of a .yaml file or a preset's name, with fresh weights by ``seed``.

    Raises:
        InputError: none of these.
    """
    if has_weights(name):
        return trained_network(name, trial=trial)
    return seeded(lambda: build(architecture_of(name, scale, trial=trial)), seed).eval()


def architecture_of(
    name: Path | str, scale: int = 4, *, trial: str = "best", storage: str | None = None
) -> Architecture:
    """What `any_network` of this name is; of a run, the weights need not have been kept.

    Args:
        name: of a file, a folder, a network that ships or a preset.
        scale: of a preset: 1, 2, 3 or 4; all others have their own.
        trial: of a run: ``"best"`` or a number.
        storage: URL of the run's store, if it needs a password.

    Raises:
        InputError: nothing of this name, or it is damaged.
    """
    if is_run(name):
        from nas.run import open_run

        return Architecture.from_dict(open_run(name, storage=storage).trial(trial).architecture)
    _no_run(name, trial)
    if has_weights(name):
        return trained_network(name).architecture
    return Architecture.load(name) if _is_config(Path(name)) else preset(str(name), scale)


def _is_config(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")


def _no_run(name: Path | str, trial: str) -> None:
    if trial != "best":
        raise InputError(f"{trial!r}: only a run folder has trials, and {name} is none")


def _of_run(folder: Path, trial: str, storage: str | None) -> Network:
    from nas.run import open_run

    run = open_run(folder, storage=storage)
    record = run.trial(trial)
    weights = run.weights(record)
    if not weights.is_file():
        raise InputError(
            f"trial {record.number}: its weights were not kept; expected a trial on the front "
            f"(its config can be had as .yaml and trained again)"
        )
    return load(weights)
