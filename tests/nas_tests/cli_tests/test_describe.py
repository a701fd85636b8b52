"""``nas describe``: what a network is and costs, by three counters."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nas.latency.esr_score import EsrScore
from nas.latency.network_time import measure_latency
from search_spaces import Architecture, build, preset, price
from tests.made_up_shipped import ship
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]


def facts(command: Command, *arguments: object) -> dict[str, Any]:
    outcome = command("describe", *arguments, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def check(found: dict[str, Any]) -> None:
    """The three counters agree, and the layers add up."""
    arch = Architecture.from_dict(found["architecture"])
    priced = price(arch)
    assert found["hash"] == arch.hash
    assert found["params"] == priced.params
    assert found["params"] == found["thop"]["params"] == found["fvcore"]["params"]
    fvcore = found["fvcore"]
    assert found["macs"] == priced.macs == found["thop"]["macs"]
    assert found["macs"] == fvcore["macs"] - fvcore["of_which_resizing"]
    assert found["activations"] == priced.activations
    for key in ("params", "macs", "activations"):
        assert sum(layer[key] for layer in found["layers"]) == found[key]
    assert found["memory_mb"] > 4 * found["params"] / 1e6


@pytest.mark.parametrize(("name", "scale"), [("rfdn", 4), ("rlfn", 3)])
def test_presets(name: str, scale: int, command: Command) -> None:
    found = facts(command, name, "--scale", scale, "--no-latency")
    check(found)
    assert found["hash"] == preset(name, scale).hash
    assert found["lr_size"] == [720 // scale, 1280 // scale]
    assert not {"latency", "card"} & found.keys()


def test_what_ships_shows_its_card(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", tmp_path)
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch = Architecture.from_dict({"scale": 4, "channels": 4, "blocks": [block]})
    ship(tmp_path, "x4-shown", build(arch), psnr_y_db=25.5)
    found = facts(command, "x4-shown", "--no-latency")
    check(found)
    assert found["card"]["test"]["Set5"]["psnr_y_db"] == 25.5
    shown = command("describe", "x4-shown", "--no-latency").out
    for line in (
        "A network that was made up.",
        "4 steps by the recipe smoke, seed 0, on squares (3 photos)",
        "25.500 dB PSNR-Y, 0.8800 SSIM-Y; bicubic 24.000 dB, 0.8000",
        "12.5 ms (320×180 input, 1 thread, a clock, torch 2, 2026-01-31)",
    ):
        assert line in shown


def test_files_of_a_run(
    command: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whole images take SPAN some seconds.
    small = partial(measure_latency, lr_size=(18, 32))
    monkeypatch.setattr(
        "nas.latency.network_time.measure_latency",
        lambda networks, *, lr_size, **how: small(networks, **how),
    )
    from_yaml = facts(command, finished.folder / "best.yaml")
    from_weights = facts(command, finished.folder / "best.safetensors", "--no-latency")
    check(from_yaml)
    latency, score = from_yaml.pop("latency"), from_yaml.pop("esr_score")
    assert from_yaml == from_weights == facts(command, finished.folder, "--no-latency")
    assert 0 < latency["minimum_ms"] <= latency["median_ms"]
    assert (latency["device"], latency["threads"], latency["dtype"]) == ("cpu", 1, "float32")
    # Of the network as it is used, beside SPAN in the same rounds.
    assert score["baseline"] == "span"
    assert score["time"] == pytest.approx(score["latency_ms"] / score["baseline_ms"], rel=0.05)
    assert score["params"] == round(from_yaml["params_in_use"] / 150_688, 3)
    parts = EsrScore(score["time"], score["macs"], score["params"])
    assert score["score"] == pytest.approx(parts.score, rel=0.01)


def test_table(command: Command, finished: Finished) -> None:
    outcome = command("describe", finished.folder / "best.yaml", "--no-latency")
    assert outcome.code == 0
    for text in ("Parameters", "Multi-Adds", "thop", "fvcore", "bilinear", "Activations", "Memory"):
        assert text in outcome.out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rfnd", "unknown preset 'rfnd': did you mean 'rlfn'?"),
        ("none.yaml", "none.yaml: cannot be read"),
        ("none.safetensors", "none.safetensors: no such file"),
    ],
)
def test_unknown_names(name: str, told: str, command: Command) -> None:
    outcome = command("describe", name)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err


def test_bad_files(command: Command, tmp_path: Path) -> None:
    config, weights = tmp_path / "net.yaml", tmp_path / "net.safetensors"
    config.write_text("scale: 4\nchanels: 8\n")
    weights.write_bytes(b"no weights")
    for path, told in ((config, f"{config}:2: unknown key 'chanels'"), (weights, str(weights))):
        outcome = command("describe", path)
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert told in outcome.err
    assert command("describe", "rfdn", "--scale", "5").code == 2


def test_a_network_that_is_too_large_to_be_run_for_a_count(
    command: Command, tmp_path: Path
) -> None:
    block = "{kind: distillation, stages: 2, distillation: none, refined: 3000, last: 8}"
    (tmp_path / "net.yaml").write_text(f"{{scale: 4, channels: 8, blocks: [{block}]}}")
    outcome = command("describe", tmp_path / "net.yaml", "--no-latency", "--json")
    found = json.loads(outcome.out)
    assert found["memory_mb"] > 500
    assert found["fvcore"] is None
    assert found["params"] == found["thop"]["params"]
    assert "fvcore not asked" in command("describe", tmp_path / "net.yaml", "--no-latency").out
