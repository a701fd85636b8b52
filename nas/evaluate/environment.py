"""What a result was made with: machine, versions, revision."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["Environment", "cores", "environment"]

_PACKAGES = ("torch", "optuna", "numpy", "pillow", "scikit-image", "pydantic")
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Environment:
    """A machine and the software on it.

    Attributes:
        device: name of the GPU that a training takes by default, else the processor's name.
        cpu: the processor's name.
        cores: processors that this process may use.
        threads: CPU threads of one torch operator.
        system: operating system and architecture.
        python: version.
        versions: of the packages that results depend on.
        revision: git revision of a checkout, with ``+changes`` where files differ from it,
            else the version of the installed package.
    """

    device: str
    cpu: str
    cores: int
    threads: int
    system: str
    python: str
    versions: Mapping[str, str]
    revision: str

    def to_dict(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return asdict(self)


@functools.cache
def environment() -> Environment:
    """This process's environment; found out once, in a few tens of milliseconds."""
    import torch

    cpu = _cpu_name()
    return Environment(
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else cpu,
        cpu=cpu,
        cores=cores(),
        threads=torch.get_num_threads(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        versions={name: version for name in _PACKAGES if (version := _version(name))},
        revision=_revision(),
    )


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _revision() -> str:
    # Only our own checkout: an installed copy may lie inside somebody else's repository.
    if (_ROOT / ".git").exists():
        try:
            head = _git("rev-parse", "--short=12", "HEAD")
            return head + ("+changes" if _git("status", "--porcelain", "-uno") else "")
        except (OSError, subprocess.SubprocessError):
            pass
    version = _version("nas-sr")
    return f"nas-sr {version}" if version else "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(_ROOT), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=5,
    )
    return done.stdout.strip()
