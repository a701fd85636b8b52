"""Fixtures that several test folders share."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests run in several processes, whose torch threads would fight for the cores. Set
# before anything imports torch, and inherited by the commands that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background ignores Ctrl-C, what nohup starts the end of its terminal;
# and so would the commands that tests stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

_BESIDE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_finish() -> None:
    """Torch alone leaves a million objects that live to the end: looking through them again and
    again for what can be freed takes a sixteenth of all the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def _quick_stores() -> None:
    from tests.quick_stores import make_stores_quick

    make_stores_quick()


@pytest.fixture(scope="session")
def sr_data() -> Path:
    """The folder with the research images and published checkpoints, else a skip."""
    folder = Path(os.environ.get("SR_DATA", _BESIDE_CHECKOUT))
    if not (folder / "test" / "Set5").is_dir():
        pytest.skip(f"no research images at {folder}: set SR_DATA to one with test/ and train/")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_lock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A measuring lock of the tests' own: what else runs on the machine does not stop them."""
    folder = tmp_path_factory.mktemp("locks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nas.quiet.lock_folder", lambda: folder)
        # For the workers that tests start.
        patch.setenv("TMPDIR", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def _tables_as_before() -> Iterator[None]:
    """What the test adds to the open tables is gone after it."""
    from tests.tables import restored

    with restored():
        yield


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Latencies are measured once, and not until the machine is quiet: other tests run beside."""
    monkeypatch.setattr("nas.latency.clock._AGAIN", 0)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without figures for print, which take longer than all else."""
    monkeypatch.setattr("reports.figures.write_figures", lambda *_, **__: ())


@pytest.fixture
def no_pictures(no_figures: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches and reports without the Pareto figure as well."""
    monkeypatch.setattr("reports.plots.pareto_figure.save_pareto", lambda *_, **__: ())


@pytest.fixture(scope="session")
def exports_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """From its first use on, a network that was exported to ONNX is not traced once more."""
    import torch

    from tests.exports import remembered

    base = tmp_path_factory.getbasetemp()
    # Of tests in several processes, each has a folder in that of all.
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exports"
    place.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.onnx, "export", remembered(torch.onnx.export, place))
        yield
