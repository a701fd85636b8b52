from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

from nas.cli.latency_table import print_table
from nas.deploy.runtimes import RUNTIMES
from nas.latency.clock import Laps, best_ms, summary, time_in_turns, time_until_settled
from search_spaces import Architecture, build, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Finished, Outcome
from tests.requirements import needs

Command = Callable[..., Outcome]


def test_entrants_take_turns() -> None:
    ran: list[str] = []
    entrants = {name: partial(ran.append, name) for name in "abc"}
    times = time_in_turns(entrants, rounds=3, warmup=1)
    assert "".join(ran) == "abc" + "abc" + "cba" + "abc"
    lengths = {name: (len(of.passed_ms), len(of.worked_ms)) for name, of in times.items()}
    assert lengths == {"a": (3, 3), "b": (3, 3), "c": (3, 3)}
    with pytest.raises(InputError):
        time_in_turns({}, rounds=0, warmup=1)


def test_time_without_a_processor_is_no_work() -> None:
    (laps,) = time_in_turns({"sleep": partial(time.sleep, 0.03)}, rounds=2, warmup=0).values()
    assert min(laps.passed_ms) >= 30
    assert max(laps.worked_ms) < 15
    assert laps.own_ms("cpu") == laps.worked_ms
    assert laps.own_ms("cuda") == laps.passed_ms


@pytest.mark.parametrize(
    ("worked_ms", "rounds"),
    [
        ([20.0, 20.1, 35.0, 20.2], 4),
        ([40.0, 30.0, 20.0, 35.0, 20.1, 20.1], 8),
        ([2.0**k for k in range(16)], 16),
        # The clock tells less of a network that takes next to no time.
        ([0.10, 0.12, 0.14, 0.9], 4),
    ],
)
def test_a_disturbed_measurement_is_repeated(
    worked_ms: list[float], rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = iter(worked_ms + [50.0] * 16)

    def turn(entrants: object, *, rounds: int, warmup: int) -> dict[str, Laps]:
        return {"a": Laps((99.0,) * rounds, tuple(islice(waiting, rounds)))}

    monkeypatch.setattr("nas.latency.clock.time_in_turns", turn)
    (laps,) = time_until_settled({}, rounds=4, warmup=1, device="cpu").values()
    assert len(laps.passed_ms) == len(laps.worked_ms) == rounds
    assert best_ms(laps.worked_ms) == pytest.approx(sum(sorted(laps.worked_ms)[:3]) / 3)


def test_interval_of_the_median() -> None:
    # Order statistics 40 and 60 of 100: the binomial's 95% within half a place.
    timing = summary([float(k) for k in range(100)])
    assert (timing.median_ms, timing.minimum_ms, timing.rounds) == (49.5, 0.0, 100)
    assert (timing.low_ms, timing.high_ms) == (40.0, 59.0)
    alone = summary([3.0])
    assert alone.low_ms == alone.high_ms == alone.median_ms == 3.0


@pytest.fixture
def net(tmp_path: Path) -> Path:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    arch = {"scale": 2, "channels": 4, "blocks": [block]}
    save_weights(build(Architecture.from_dict(arch)), tmp_path / "net.safetensors")
    Architecture.from_dict({**arch, "channels": 40}).save(tmp_path / "wide.yaml")
    return tmp_path / "net.safetensors"


def test_networks_beside_a_reference(command: Command, net: Path, finished: Finished) -> None:
    wide = net.with_name("wide.yaml")
    outcome = command("latency", net, finished.folder, "--reference", wide, "--size", "40x30",
                      "--rounds", 7, "--threads", 1, "--layers", "--json")  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    facts = json.loads(outcome.out)
    assert (facts["lr_size"], facts["threads"], facts["device"]) == ([30, 40], 1, "cpu")
    assert facts["environment"]["cpu"]
    rows = {row["network"]: row for row in facts["networks"]}
    assert set(rows) == {str(net), str(finished.folder), str(wide)}
    for row in rows.values():
        assert 0 < row["minimum_ms"] <= row["low_ms"] <= row["median_ms"] <= row["high_ms"]
        assert 0 < row["alone_ms"] <= row["median_ms"]
        # Again on a busy machine, until the best ones agree.
        assert row["rounds"] in (7, 14, 21, 28)
    assert rows[str(wide)]["times_reference"] == 1
    # A hundredth of the multiply-adds: far beyond any noise.
    assert rows[str(net)]["times_reference_minimum"] < 1
    assert set(facts["layers"]) == {str(net), str(finished.folder)}
    layers = facts["layers"][str(net)]
    assert layers[0]["name"] == "stem.conv"
    assert layers[-1]["name"] == "between layers"
    assert math.isclose(sum(row["share"] for row in layers), 1, abs_tol=0.5)


def test_a_score_beside_span_alone(command: Command, net: Path) -> None:
    once = ("--size", "9x8", "--rounds", 1, "--warmup", 0)
    at_its_scale = command("latency", net, "--reference", "span", "--scale", 2, *once, "--json")
    own, span = json.loads(at_its_scale.out)["networks"]
    assert own["esr_score"] > 1
    assert span["esr_score"] == 7.389
    elsewhere = command("latency", net, "--reference", "span", *once)
    assert "Score" in elsewhere.out
    assert "Score" not in command("latency", net, "--reference", net, *once).out


def test_table(command: Command, net: Path) -> None:
    outcome = command("latency", net, "--reference", net, "--size", "9x8", "--rounds", 1,
                      "--warmup", 0, "--layers", "--dtype", "bfloat16")  # fmt: skip
    assert outcome.code == 0
    assert "9x8 input, torch, bfloat16, cpu" in outcome.out
    assert "between layers" in outcome.out


def test_a_terminal_of_80_columns_holds_all_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "runs/600K-params-25ms-latency/compressed/trial-0012-int8-of-a-long-name.onnx"
    row = {
        "network": long, "runtime": "onnxruntime", "dtype": "int8 and float32", "params": 715_123,
        "macs": 46.12e9, "median_ms": 1234.5, "low_ms": 1201.2, "high_ms": 1399.9, "rounds": 20,
        "minimum_ms": 987.6, "times_reference": 12.345, "times_reference_minimum": 54.321,
        "esr_score": 1234.56, "alone_ms": 951.2,
    }  # fmt: skip
    other = {**row, "network": "e_rfdn", "runtime": "torch", "dtype": "float32", "params": None,
             "esr_score": None}  # fmt: skip
    told = {
        "lr_size": (180, 320), "environment": {"cpu": "Abacus"}, "device": "cpu", "threads": 2,
        "reference": "e_rfdn", "networks": [row, other], "layers": {},
    }  # fmt: skip
    print_table(told)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    names = "".join(line[:19] for line in lines).replace(" ", "")
    assert f"{long}(onnxruntime,int8andfloat32)" in names
    assert "e_rfdn(torch,float32)" in names
    (figures,) = [line.split()[1:] for line in lines if "715.1" in line]
    assert figures == ["715.1", "46.12", "1234", "1201–1400", "987.6", "12.345", "54.321"]
    assert not any("processor's time" in line for line in lines)
    print_table({**told, "networks": [{**row, "median_ms": 3000.0}]})
    said = " ".join(capsys.readouterr().out.split())
    assert "medians are up to 3.0 times the minima" in said
    assert "By the processor's time alone" in said
    assert f"{long} 951.2 ms" in said
    assert f"Score by NTIRE's rules, by the minima: {long} 1234.56" in "".join(lines)
    assert sum(line.count("[ms]") for line in lines) == 3
    print_table({**told, "networks": [other]})
    title = " ".join(capsys.readouterr().out.split("Params")[0].split())
    assert title.startswith("320x180 input, torch, float32, cpu (Abacus), 2 threads, 20 rounds")


@pytest.mark.parametrize("runtime", list(RUNTIMES))
def test_other_runtimes(runtime: str, command: Command, net: Path) -> None:
    needs("onnxscript", RUNTIMES[runtime].package)
    outcome = command("latency", net, "--reference", net, "--size", "9x8", "--rounds", 2,
                      "--runtime", runtime, "--json")  # fmt: skip
    (row,) = json.loads(outcome.out)["networks"]
    assert (row["runtime"], row["dtype"]) == (runtime, "float32")
    assert row["rounds"] >= 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--size", "40"], "--size: expected WIDTHxHEIGHT such as 320x180, got '40'"),
        (["--size", "0x4"], "--size: expected WIDTHxHEIGHT"),
        (["--rounds", "0"], "expected --rounds of 1 or more"),
        (["--threads", "0"], "threads: expected 1 to 1024, got 0"),
        (["--runtime", "tvm"], "runtime: expected torch, onnxruntime"),
        (["--dtype", "int4"], "dtype: expected float32, bfloat16, float16, got int4"),
        (["--device", "warp"], "device must be one that torch sees here"),
        (["--layers", "--runtime", "onnxruntime"], "--layers: expected --runtime torch"),
        (["--runtime", "onnxruntime", "--dtype", "bfloat16"], "float32 on the CPU"),
        (["--reference", "e_rdfn"], "did you mean 'e_rfdn'?"),
    ],
)
def test_bad_options(options: list[str], told: str, command: Command, net: Path) -> None:
    reference = [] if "--reference" in options else ["--reference", net]
    outcome = command("latency", net, *reference, *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert told in outcome.err


def test_a_file_of_onnx_beside_its_network(command: Command, net: Path) -> None:
    pytest.importorskip("onnxscript")
    from nas.deploy.onnx_file import export_onnx
    from search_spaces import load

    path = net.with_suffix(".onnx")
    export_onnx(load(net), path)
    outcome = command("latency", path, "--reference", net, "--size", "9x8", "--rounds", 2, "--json",
                      "--dtype", "bfloat16")  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    rows = {row["network"]: row for row in json.loads(outcome.out)["networks"]}
    # The file runs in its own format, whatever the others are asked to run in.
    assert (rows[str(path)]["runtime"], rows[str(path)]["dtype"]) == ("onnxruntime", "float32")
    assert (rows[str(net)]["runtime"], rows[str(net)]["dtype"]) == ("torch", "bfloat16")
    assert rows[str(path)]["params"] == rows[str(net)]["params"]
    other = command("latency", path, "--reference", path, "--size", "9x8", "--rounds", 2, "--json",
                    "--runtime", "openvino")  # fmt: skip
    assert [row["runtime"] for row in json.loads(other.out)["networks"]] == ["openvino"]
    refused = command("latency", path, "--reference", net, "--layers")
    assert (refused.code, refused.err.count("\n")) == (2, 1)


def test_no_cuda_device(command: Command, net: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    outcome = command("latency", net, "--reference", net, "--device", "cuda")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "device must be one that torch sees here, got 'cuda'" in outcome.err
