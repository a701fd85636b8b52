"""The network that a name on the command line means."""

from __future__ import annotations

from pathlib import Path

from search_spaces.architecture import Architecture
from search_spaces.catalog import preset, preset_names
from search_spaces.errors import InputError
from search_spaces.network import Network, build
from search_spaces.regular import irregular
from search_spaces.weights import WEIGHTS, load

__all__ = ["any_network", "is_run", "trained_network"]


def is_run(path: Path | str) -> bool:
    """Whether a run folder of a search is there."""
    return (Path(path) / "run.yaml").is_file()


def trained_network(
    name: Path | str, *, trial: str = "best", storage: str | None = None
) -> Network:
    """The network with its weights in a .safetensors file, or that of a run folder's trial.

    Args:
        name: the file or folder.
        trial: of a run: ``"best"`` or a number.
        storage: URL of the run's store, if it needs a password.

    Raises:
        InputError: nothing there, no weights in it, or not those of its architecture.
    """
    path = Path(name)
    if path.is_dir():
        # A folder of nas export, or else a run.
        return load(path) if (path / WEIGHTS).is_file() else _of_run(path, trial, storage)
    if path.suffix.lower() in (".yaml", ".yml"):
        raise InputError(
            f"{path}: a config without weights; expected a .safetensors file or a run folder"
        )
    if problem := irregular(path):
        hint = " (presets have no trained weights)" if str(name) in preset_names() else ""
        raise InputError(f"{path}: {problem}{hint}; expected a .safetensors file or a folder")
    return load(path)


def any_network(name: str, scale: int = 4) -> Network:
    """The same, or a .yaml file or a preset's name, whose weights are then random.

    Raises:
        InputError: none of these.
    """
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml"):
        return build(Architecture.load(path)).eval()
    if not path.exists() and path.suffix != ".safetensors":
        return build(preset(name, scale)).eval()
    return trained_network(name)


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
