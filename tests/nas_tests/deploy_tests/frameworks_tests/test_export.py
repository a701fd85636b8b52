"""Networks as architecture, options and weights for training frameworks."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
import torch
import yaml
from torch import nn
from torch.nn import functional as F

from nas.deploy.frameworks.basicsr import BASICSR
from nas.deploy.frameworks.export import export_for, open_from
from nas.deploy.frameworks.framework import Framework
from nas.deploy.frameworks.neosr import NEOSR
from nas.deploy.frameworks.trainner import TRAINNER
from nas.deploy.parity import check_parity
from search_spaces import Network, build, preset
from search_spaces.errors import InputError
from tests.nas_tests.deploy_tests.conftest import compact, lively

CLOSE = 1e-5
PLACES = "dataroot_gt", "dataroot_lq"
ALL = {one.name: one for one in (BASICSR, TRAINNER, NEOSR)}


class Registry:
    """As theirs: every name once, and traiNNer-redux's without regard to case."""

    def __init__(self, *, any_case: bool) -> None:
        self.known: dict[str, Any] = {}
        self._any_case = any_case

    def register(self) -> Any:
        def kept(one: Any) -> Any:
            name = self._name(one.__name__)
            assert name not in self.known
            self.known[name] = one
            return one

        return kept

    def get(self, name: str) -> Any:
        return self.known[self._name(name)]

    def _name(self, name: str) -> str:
        return name.lower() if self._any_case else name


def built(framework: Framework, folder: Path, options: dict[str, Any]) -> nn.Module:
    """The network as the framework makes it: the file is imported, and asked for by its type."""
    registry = Registry(any_case=framework is TRAINNER)
    module: Any = ModuleType(framework.registry)
    module.ARCH_REGISTRY = registry
    (file,) = (folder / "archs").glob("*_arch.py")
    with patch.dict(sys.modules, {**framework.stand_in(), framework.registry: module}):
        exec(compile(file.read_text(), file.name, "exec"), {"__name__": "arch"})
    asked = dict(options["network_g"])
    made = registry.get(asked.pop("type"))
    # traiNNer-redux gives every network the scale.
    network = made(**asked, scale=options["scale"]) if framework is TRAINNER else made(**asked)
    assert isinstance(network, nn.Module)
    return network


def read(framework: Framework, folder: Path) -> dict[str, Any]:
    (file,) = (folder / "options").iterdir()
    text = file.read_text()
    assert "&id" not in text
    found = tomllib.loads(text) if framework is NEOSR else yaml.safe_load(text)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("framework", ALL.values(), ids=ALL)
def test_folder(framework: Framework, tmp_path: Path) -> None:
    network = lively(scale=4)
    parity = export_for(framework, network, tmp_path / "My Net")
    assert parity.difference <= CLOSE
    folder, ending = tmp_path / "My Net", framework.ending
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert files == [
        "README.md", "archs/my_net_arch.py", f"options/train_my_net{ending}", "weights/my_net.pth"
    ]  # fmt: skip
    state = torch.load(folder / "weights/my_net.pth", weights_only=True)["params"]
    assert state.keys() == network.state_dict().keys()
    assert check_parity(network, open_from(framework, folder)).difference <= CLOSE
    readme = (folder / "README.md").read_text()
    assert f"options/train_my_net{ending}" in readme
    assert f"`nas export --format {framework.package.lower()}`" in readme
    assert readme.endswith(framework.tried)
    text = (folder / "archs/my_net_arch.py").read_text()
    assert f"Needs torch and {framework.name}:" in text


@pytest.mark.parametrize("framework", ALL.values(), ids=ALL)
def test_training_goes_on_from_the_weights_by_the_options(
    framework: Framework, tmp_path: Path
) -> None:
    network = compact(scale=2)
    export_for(framework, network, tmp_path / "net")
    options = read(framework, tmp_path / "net")
    made = built(framework, tmp_path / "net", options)
    path = options["path"]
    stored = torch.load(tmp_path / "net" / path["pretrain_network_g"], weights_only=True)
    made.load_state_dict(stored[path["param_key_g"]], strict=path["strict_load_g"])
    image, target = torch.rand(2, 3, 9, 8), torch.rand(2, 3, 18, 16)
    torch.testing.assert_close(made(image), network(image))
    train = options["train"]
    how = {key: value for key, value in train["optim_g"].items() if key != "type"}
    optimizer = getattr(torch.optim, train["optim_g"]["type"].capitalize())(
        made.parameters(), **how
    )
    plan = {key: value for key, value in train["scheduler"].items() if key != "type"}
    torch.optim.lr_scheduler.MultiStepLR(optimizer, **plan)
    losses = []
    for _ in range(3):
        loss = F.l1_loss(made(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)


def test_what_the_frameworks_call_things(tmp_path: Path) -> None:
    found = {}
    for name, framework in ALL.items():
        export_for(framework, compact(scale=3), tmp_path / name / "net")
        found[name] = read(framework, tmp_path / name / "net")
    ours, redux, neosr = found.values()
    assert [one["network_g"]["type"] for one in found.values()] == ["Net", "nas_net", "nas_net"]
    assert ours["datasets"]["train"]["gt_size"] == 3 * 48
    assert redux["datasets"]["train"]["lq_size"] == neosr["datasets"]["train"]["patch_size"] == 48
    assert ours["train"]["total_iter"] == redux["train"]["total_iter"] == 1_000_000
    assert neosr["logger"]["total_iter"] == 1_000_000
    assert ours["train"]["pixel_opt"]["type"] == neosr["train"]["pixel_opt"]["type"] == "L1Loss"
    assert redux["train"]["losses"] == [{"type": "l1loss", "loss_weight": 1.0}]
    for one in found.values():
        assert one["val"]["metrics"]["psnr"]["crop_border"] == 3
        assert one["datasets"]["val"]["dataroot_lq"] == "datasets/Set5/LRbicx3"
        assert one["train"]["scheduler"]["milestones"] == [200_000, 400_000, 600_000, 800_000]


@pytest.mark.parametrize("framework", ALL.values(), ids=ALL)
def test_restoration(framework: Framework, tmp_path: Path) -> None:
    export_for(framework, compact(scale=1), tmp_path / "net")
    options = read(framework, tmp_path / "net")
    # Nothing is enlarged, so that borders count, and no folder is of bicubic images.
    assert options["val"]["metrics"]["psnr"]["crop_border"] == 0
    places = str([one[key] for one in options["datasets"].values() for key in PLACES])
    assert "LQ" in places
    assert "bic" not in places
    (file,) = (tmp_path / "net/archs").iterdir()
    assert "Net: restoration at the same size, " in file.read_text()


@pytest.mark.parametrize("framework", [TRAINNER, NEOSR], ids=lambda one: one.name)
def test_another_scale_than_its_own(framework: Framework, tmp_path: Path) -> None:
    export_for(framework, compact(scale=2), tmp_path / "net")
    options = {"network_g": {"type": "nas_net", "scale": 4}, "scale": 4}
    if framework is TRAINNER:
        del options["network_g"]["scale"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="nas_net: expected scale 2 and no options, got 4"):
        built(framework, tmp_path / "net", options)


def test_no_name_of_theirs_is_taken(tmp_path: Path) -> None:
    # A network called compact would stand in the way of theirs, or theirs would be trained.
    for framework in (TRAINNER, NEOSR):
        export_for(framework, compact(), tmp_path / framework.name / "compact")
        folder = tmp_path / framework.name / "compact"
        assert read(framework, folder)["network_g"]["type"] == "nas_compact"


def test_training_from_constant_images_gives_finite_gradients(tmp_path: Path) -> None:
    # A standard deviation has an infinite slope at zero, which flat patches reach.
    export_for(BASICSR, build(preset("imdn", 4)), tmp_path / "net")
    model = built(BASICSR, tmp_path / "net", {"network_g": {"type": "Net"}})
    for name, weight in model.named_parameters():
        nn.init.constant_(weight, 0.1 if "bias" in name else 0.0)
    model(torch.zeros(1, 3, 8, 8)).sum().backward()
    assert all(torch.isfinite(w.grad).all() for w in model.parameters() if w.grad is not None)


@pytest.mark.parametrize("framework", ALL.values(), ids=ALL)
def test_a_network_on_luma(framework: Framework, tmp_path: Path) -> None:
    network: Network = compact(colors=1)
    with pytest.raises(InputError, match=f"{framework.name} trains on RGB.*choose --format ntire"):
        export_for(framework, network, tmp_path / "net")
    assert not list(tmp_path.iterdir())
