"""What every format of the table has to do; a new one is found there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from nas.deploy.formats import FORMATS, Format, format_for
from nas.deploy.parity import PARITY_SIZES, TOLERANCE
from search_spaces import Network, save_weights
from search_spaces.errors import InputError, MissingExtra
from tests.nas_tests.conftest import Outcome
from tests.nas_tests.deploy_tests.conftest import compact, lively

Command = Callable[..., Outcome]
ALL = list(FORMATS)


@pytest.fixture(scope="module")
def any_network() -> Network:
    # As in the tests of graphs, which have exported it.
    return lively(image_skip="linear")


@pytest.fixture
def network(name: str, any_network: Network) -> Network:
    """One that the format takes."""
    return compact() if name == "spandrel" else any_network


def place(name: str, folder: Path) -> Path:
    return folder / f"net{(*FORMATS[name].endings, '')[0]}"


def written(name: str, network: Network, folder: Path) -> Path:
    if FORMATS[name].extra:
        pytest.importorskip("onnxscript")
    path = place(name, folder)
    made = network if FORMATS[name].weights else network.architecture
    parity = FORMATS[name].write(made, path)
    if parity is not None:
        assert 0 <= parity.difference <= TOLERANCE
        assert parity.sizes == PARITY_SIZES
    return path


@pytest.mark.parametrize("name", ALL)
def test_what_is_read_again_gives_what_the_network_gives(
    name: str, network: Network, tmp_path: Path
) -> None:
    run = FORMATS[name].open(written(name, network, tmp_path))
    image = torch.rand(2, 3, 13, 22)
    found = run(image.numpy())
    assert found.shape == (2, 3, 39, 66)
    if FORMATS[name].weights:
        with torch.no_grad():
            np.testing.assert_allclose(found, network(image).numpy(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_the_network_it_is_of_can_be_told(name: str, network: Network, tmp_path: Path) -> None:
    path = written(name, network, tmp_path)
    files = [path, *(path.with_suffix(ending) for ending in FORMATS[name].beside)]
    if path.is_dir():
        files = [one for one in path.rglob("*") if one.is_file()]
    assert files
    content = b"".join(one.read_bytes() for one in files)
    assert network.architecture.blocks[0].kind.encode() in content
    assert b"scale" in content
    assert str(network.architecture.channels).encode() in content


@pytest.mark.parametrize("name", ALL)
def test_the_command_writes_it(
    name: str, network: Network, command: Command, tmp_path: Path
) -> None:
    if FORMATS[name].extra:
        pytest.importorskip("onnxscript")
    save_weights(network, tmp_path / "from.safetensors")
    output = place(name, tmp_path)
    outcome = command("export", tmp_path / "from.safetensors", "-o", output, "--format", name)
    assert (outcome.code, outcome.err) == (0, "")
    assert f"written to {output}" in outcome.out
    assert FORMATS[name].open(output)(np.zeros((1, 3, 4, 5), np.float32)).shape == (1, 3, 12, 15)
    told = command("export", "--help").out
    assert name in told
    assert (*FORMATS[name].endings, "folder")[0] in told


@pytest.mark.parametrize("name", [name for name in ALL if FORMATS[name].extra])
def test_a_missing_extra_is_named_in_one_line(
    name: str, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as caught:
        FORMATS[name].write(network, place(name, tmp_path))
    assert f"pip install 'nas-sr[{FORMATS[name].extra}]'" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_name_says_one_format() -> None:
    endings = [ending for one in FORMATS.values() if one.by_name for ending in one.endings]
    assert len(endings) == len(set(endings))
    for name, one in FORMATS.items():
        for ending in one.endings:
            path = Path(f"NET{ending.upper()}")
            assert (format_for(path) is one) == one.by_name
            assert format_for(path, name) is one


def test_a_format_of_ones_own(any_network: Network, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\n"
        "from nas.deploy.formats import FORMATS, Format\n"
        "from nas.deploy.parity import runner\n"
        "def write(network, path):\n"
        "    torch.save(network.state_dict(), path)\n"
        "FORMATS.add('mine', Format('a state dict', write, runner, ('.mine',)))\n"
    )
    save_weights(any_network, tmp_path / "net.safetensors")
    output = tmp_path / "net.mine"
    outcome = command("export", tmp_path / "net.safetensors", "-o", output, "--import", file)
    assert (outcome.code, outcome.err) == (0, "")
    assert torch.load(output).keys() == any_network.state_dict().keys()
    with pytest.raises(InputError, match="format 'mine' is there already"):
        FORMATS.add("mine", Format("another", "a:b", "a:b"))
