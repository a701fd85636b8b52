"""What frameworks that came of BasicSR have alike, and in what they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

from nas.deploy.single_file import class_name_of
from nas.evaluate.quality import shave_px

__all__ = ["Framework", "Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the options of a training are made of: DIV2K as RFDN's authors train on it.

    L1, Adam at 5e-4 halved every 200,000 of a million iterations, patches of 48 LR pixels,
    batch 16 (Liu et al., ECCVW 2020); PSNR on Y without the border.

    Attributes:
        stem: the name in files.
        network_type: by which the framework finds the network.
        scale: of the network.
    """

    stem: str
    network_type: str
    scale: int

    lr_patch_px = 48
    batch = 16
    iterations = 1_000_000
    learning_rate = 5e-4
    betas = (0.9, 0.99)
    ema = 0.999
    validated_every = 5000

    @property
    def scheduler(self) -> dict[str, Any]:
        """By the names that all of them have from torch."""
        milestones = list(range(200_000, self.iterations, 200_000))
        return {"type": "MultiStepLR", "milestones": milestones, "gamma": 0.5}

    @property
    def metrics(self) -> dict[str, Any]:
        """PSNR and SSIM, by the names that all of them have from BasicSR."""
        how = {"crop_border": shave_px(self.scale), "test_y_channel": True}
        return {name: {"type": f"calculate_{name}", **how} for name in ("psnr", "ssim")}

    @property
    def training_photos(self) -> dict[str, str]:
        """Where the pairs are, cut in pieces."""
        folder = "datasets/DIV2K"
        lr = "LQ_sub" if self.scale == 1 else f"LR_bicubic_X{self.scale}_sub"
        return {"dataroot_gt": f"{folder}/HR_sub", "dataroot_lq": f"{folder}/{lr}"}

    @property
    def validation_photos(self) -> dict[str, str]:
        """The same of the photos that are judged by."""
        folder = "datasets/Set5"
        hr, lr = f"GTmod{self.scale}", f"LRbicx{self.scale}"
        if self.scale == 1:
            hr, lr = "GT", "LQ"
        return {"dataroot_gt": f"{folder}/{hr}", "dataroot_lq": f"{folder}/{lr}"}

    @property
    def weights(self) -> str:
        """The file, from the exported folder."""
        return f"weights/{self.stem}.pth"


@dataclass(frozen=True, slots=True)
class Framework:
    """One of them.

    Attributes:
        name: as its authors write it.
        package: to import.
        options: its options for a plan.
        ending: of the file that they stand in.
        written: the options as that file's text.
        train: its training program, where the README has to say it.
        tried: what is known of such a folder in it, for the README: whole lines.
        by_function: whether networks are asked for with arguments, among them the scale.
    """

    name: str
    package: str
    options: Callable[[Plan], dict[str, Any]]
    ending: str
    written: Callable[[Mapping[str, Any]], str]
    train: str
    tried: str
    by_function: bool

    @property
    def registry(self) -> str:
        """The module that has ``ARCH_REGISTRY``."""
        return f"{self.package}.utils.registry"

    def network_type(self, stem: str) -> str:
        """The name that the network is registered by; none of the framework's own begins so."""
        return f"nas_{stem}" if self.by_function else class_name_of(stem)

    def stand_in(self) -> dict[str, Any]:
        """Modules that stand in for it while a file is checked: it need not be installed."""
        registry: Any = ModuleType(self.registry)
        registry.ARCH_REGISTRY = SimpleNamespace(register=lambda: lambda one: one)
        names = (self.package, f"{self.package}.utils")
        return {name: ModuleType(name) for name in names} | {self.registry: registry}
