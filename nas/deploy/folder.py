"""A network as a folder: config, weights, and a README that says what they are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from nas.deploy.metadata import purpose
from nas.evaluate.environment import environment
from search_spaces import price
from search_spaces.files import atomic_path
from search_spaces.network import Network
from search_spaces.weights import CONFIG, WEIGHTS, weights_to_bytes
from search_spaces.yaml_file import to_yaml

__all__ = ["export_folder"]


def export_folder(
    network: Network, folder: Path | str, *, source: str, notes: Sequence[str] = ()
) -> None:
    """Writes a folder that ``search_spaces.load`` reads.

    Args:
        network: with its weights.
        folder: made where it isn't there.
        source: what the network was taken from, for the README.
        notes: how it was trained, a line each.

    Raises:
        InputError: the folder can't be written.
    """
    folder = Path(folder)
    files = {
        WEIGHTS: weights_to_bytes(network),
        CONFIG: to_yaml(network.architecture.to_dict()).encode(),
        "README.md": _readme(network, folder.resolve().name, source, notes).encode(),
    }
    with ExitStack() as all_or_none:
        for name, content in files.items():
            all_or_none.enter_context(atomic_path(folder / name)).write_bytes(content)


def _readme(network: Network, name: str, source: str, notes: Sequence[str]) -> str:
    arch = network.architecture
    cost = price(arch)
    made = environment()
    target = "restored.png" if arch.scale == 1 else "large.png"
    return (
        f"# {name}\n\n"
        f"A network for {purpose(arch.scale)}: {cost.params:,} parameters, "
        f"{cost.macs / 1e9:.2f} G multiply-adds for a\n1280x720 output. `{CONFIG}` says what it "
        f"is, `{WEIGHTS}` holds its weights.\n\n"
        f"```python\nimport search_spaces\n\n"
        f'network = search_spaces.load("{name}")  # (N, {arch.colors}, h, w) in 0..1\n```\n\n'
        f"```sh\nnas upscale photo.png -o {target} --net {name}\n```\n\n"
        f"## How it was made\n\n"
        f"- taken from `{source}` by `nas export --format folder`\n"
        + "".join(f"- {note}\n" for note in notes)
        + f"- architecture {arch.hash}\n"
        f"- nas-sr revision {made.revision}, torch {made.versions['torch']}, Python {made.python}\n"
    )
