"""Every command in the guides under docs/ runs as it is written; `tests.guides` has the guides."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.quantize import Quantized, quantize
from nas.cli.main import main
from tests.guide_files import needs_export
from tests.guides import CHAIN, GUIDES, Guide, pieces
from tests.tables import restored


@pytest.fixture
def _int8_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline of one network is rounded; others get what that came to."""
    made = list[tuple[Quantized, bytes]]()

    def first_one(network: Any, train: Any, judging: Any, file: Path, **options: Any) -> Quantized:
        if not made:
            done = quantize(network, train, judging, file, **options)
            made.append((done, file.read_bytes()))
        file.write_bytes(made[0][1])
        return replace(made[0][0], path=file)

    monkeypatch.setattr("compress.int8_step.quantize", first_one)


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], str]:
    """Runs a command in an empty folder and gives what it printed."""
    monkeypatch.chdir(tmp_path)
    # What else is trained or measured on the machine is no concern of ours.
    locks = tmp_path / "locks"
    locks.mkdir()
    monkeypatch.setenv("TMPDIR", str(locks))
    monkeypatch.setattr("nas.quiet.lock_folder", lambda: locks)

    def command(text: str) -> str:
        assert text.startswith("nas "), f"no command of ours, to be named in aside: {text}"
        monkeypatch.setattr(sys, "argv", shlex.split(text))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ending:
            main()
        printed = capsys.readouterr()
        assert ending.value.code == 0, f"{text}\n{printed.err}"
        return printed.out

    return command


@pytest.mark.usefixtures("exports_once", "_int8_once")
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_command_of_the_guide_runs(
    guide: Guide, tmp_path: Path, run: Callable[[str], str], request: pytest.FixtureRequest
) -> None:
    guide.prepare(tmp_path)
    if not guide.draws:
        request.getfixturevalue("no_pictures")
    found = list(pieces(guide))
    assert found, f"docs/{guide.name} has no commands"
    for kind, text in found:
        with restored() if guide.adds else nullcontext():
            if kind == "python":
                exec(compile(text, guide.name, "exec"), {"__name__": "a_users_own"})
            else:
                run(text)


@pytest.mark.usefixtures("exports_once", "no_pictures")
def test_from_the_winner_to_use(
    tmp_path: Path, run: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_export()
    CHAIN.prepare(tmp_path)
    commands = {text.split()[1]: text for _, text in pieces(CHAIN)}
    graph = tmp_path / "small.onnx"
    # Whether int8 pays for a network of seconds is left to chance; slower than float32 it does not.
    int8 = Quantized(graph, 30.0, 30.0, 0.9, 0.9, 1.0, 2.0, 10**6, 300, "minmax", (), (), 12)
    content = b"a graph"

    def made(network: Any, train: Any, judging: Any, file: Path, **_: Any) -> Quantized:
        file.write_bytes(content)
        return replace(int8, path=file)

    monkeypatch.setattr("compress.int8_step.quantize", made)
    said = "".join(map(run, commands.values()))
    assert len(list((tmp_path / "large").iterdir())) == 4
    assert not graph.exists()
    assert f"No small.onnx, since int8 is not kept; use {commands['upscale'].split()[-1]}" in said
    exported, quantized = re.findall(r"^  in .*: (nas .*)$", said, re.M)
    assert exported == commands["export"].replace("net.onnx", graph.name)
    run(quantized)
    content = graph.read_bytes()
    assert len(content) > 1000
    graph.unlink()
    (tmp_path / "small.steps" / "steps.json").unlink()

    int8 = replace(int8, latency_after_ms=0.5)
    assert "No small.onnx" not in run(f"{commands['compress']} --force")
    assert graph.read_bytes() == content
    for net in ("small.safetensors", graph.name):
        run(f"{commands['upscale']} --force".replace("small.safetensors", net))


def test_every_text_to_be_replaced_is_there() -> None:
    for guide in (*GUIDES, CHAIN):
        assert [old for old in (*guide.instead, *guide.aside) if old not in guide.text] == []
