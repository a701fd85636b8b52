"""``nas latency fit``, and a search that asks the model instead of measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nas.latency.model import LatencyModel
from nas.run import open_run
from search_spaces import Architecture, folded
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]
pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = ("--space", "tiny", "--networks", 8, "--held-out", 4, "--rounds", 1, "--size", "16x15")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def model(folder: Path, command: Command) -> Path:
    path = folder / "here.yaml"
    if not path.exists():
        outcome = command("latency", "fit", "-o", path, *SMALL)
        assert (outcome.code, outcome.err) == (0, "")
        assert "fitted on 8 networks\n4 others: median error" in outcome.out
    return path


def test_says_what_it_holds_for(model: Path) -> None:
    loaded = LatencyModel.load(model)
    assert (loaded.device.lr_size, loaded.device.threads, loaded.space) == ((15, 16), 1, "tiny")
    assert loaded.accuracy is not None
    assert loaded.made_with["cpu"] == loaded.device.name
    # Notes of the measurements are gone once the model is there.
    assert [path.name for path in model.parent.iterdir() if "measured" in path.name] == []


def test_a_search_by_the_model_measures_nothing(
    model: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    search = ("search", "--space", "tiny", "--profile", "smoke", "--budget", "10s-latency",
              "--objectives", "psnr,latency", "--latency-model", model, "--run", run)  # fmt: skip
    with monkeypatch.context() as patch:
        patch.delattr("nas.latency.meter.measure_latency")
        outcome = command(*search, "--trials", 1, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    (record,) = [r for r in open_run(run).records() if r.state == "finished"]
    loaded = LatencyModel.load(model)
    expected_ms = loaded.predict_ms(folded(Architecture.from_dict(record.architecture)))
    assert record.latency_ms == pytest.approx(expected_ms, rel=1e-3)
    assert record.latency_min_ms is None
    assert record.made_with["latency"]["predicted_by"] == loaded.hash
    # Latencies of another kind don't belong into the same study.
    other = command("search", "--space", "tiny", "--profile", "smoke", "--budget", "10s-latency",
                    "--objectives", "psnr,latency", "--latency-size", "16x15",
                    "--run", run)  # fmt: skip
    # A busy machine may add lines between these.
    first, *_, last = other.err.splitlines()
    assert (other.code, first) == (2, "measuring 10 networks")
    assert "was made with" in last


def test_a_budget_below_every_network(model: Path, tmp_path: Path, command: Command) -> None:
    outcome = command("search", "--space", "tiny", "--budget", "1us-latency", "--latency-model",
                      model, "--run", tmp_path / "run")  # fmt: skip
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "no network of space 'tiny' at x4 fits" in outcome.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--latency-size", "20x20"), "is of 16x15 input, but --latency-size is 20x20"),
        (("--threads", "7"), "threads: the latency model is of 1 thread, not of 7"),
        (("--scale", "2"), "is of networks x4, but --scale is 2"),
        (("--latency-model", "no.yaml"), "no.yaml"),
    ],
)
def test_a_model_that_does_not_hold(
    options: tuple[str, ...], told: str, model: Path, command: Command, tmp_path: Path
) -> None:
    given = ("--latency-model", model, *options)
    outcome = command("search", "--space", "tiny", "--run", tmp_path / "run", *given)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-o", "m.txt"), "expected a name that ends in .yaml"),
        (("-o", ""), "expected a name that ends in .yaml"),
        (("-o", "m.yaml", "--networks", "7"), "--networks: expected 8 or more, got 7"),
        (("-o", "m.yaml", "--held-out", "-1"), "--held-out: expected 0 or more, got -1"),
        (("-o", "m.yaml", "--scale", "5"), "--scale: expected 1, 2, 3 or 4, got 5"),
        (("-o", "m.yaml", "--space", "vast"), "unknown space 'vast'"),
        (("-o", "m.yaml", "--runtime", "tvm"), "runtime: expected torch, onnxruntime"),
        (("-o", "m.yaml", "--device", "warp"), "device must be one that torch sees here"),
        (("-o", "m.yaml", "--size", "0x0"), "--size: expected WIDTHxHEIGHT"),
    ],
)
def test_bad_options(
    options: tuple[str, ...], told: str, command: Command, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    outcome = command("latency", "fit", "--space", "tiny", *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err
    assert list(tmp_path.iterdir()) == []
