"""Times that a device has told, kept in a folder, so that it is asked for nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nas.latency.command.template import CommandTemplate
from nas.latency.network_time import LatencyResult
from nas.plain import from_plain
from search_spaces.errors import InputError
from search_spaces.files import atomic_path

__all__ = ["KEPT", "KeptTime", "KeptTimes"]

KEPT = "latency"
"""The folder in that of a run."""


@dataclass(frozen=True, slots=True)
class KeptTime:
    """A result, and the hash of the reference network that was timed beside."""

    found: LatencyResult
    reference: str


class KeptTimes:
    """One small file for each network, size, command and pattern.

    Whoever shares the folder shares them; a damaged file counts as none.

    Args:
        folder: need not be there yet.
        pattern: by which the times were read, ``""`` for none.
    """

    def __init__(self, folder: Path, pattern: str) -> None:
        self.folder, self._pattern = folder, pattern

    def get(
        self, network: str, lr_size: tuple[int, int], command: CommandTemplate
    ) -> LatencyResult | None:
        """What the device behind a command has told of the network of that hash, if it has."""
        one = _read(self._path(network, lr_size, command))
        return None if one is None else one.found

    def put(self, network: str, command: CommandTemplate, one: KeptTime) -> None:
        """Keeps a result.

        Raises:
            WriteError: the folder cannot be written.
        """
        path = self._path(network, one.found.lr_size, command)
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps({"network": network, **asdict(one)}) + "\n")

    def all(self) -> Iterator[KeptTime]:
        """Everything that is there, of whatever device and size."""
        for path in sorted(self.folder.glob("*.json")):
            if (one := _read(path)) is not None:
                yield one

    def _path(self, network: str, lr_size: tuple[int, int], command: CommandTemplate) -> Path:
        key = json.dumps([network, lr_size, command.text, self._pattern])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _read(path: Path) -> KeptTime | None:
    try:
        return from_plain(KeptTime, json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError, InputError):
        return None
