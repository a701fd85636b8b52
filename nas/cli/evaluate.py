"""``nas evaluate``: PSNR, SSIM and more on test sets, as papers state them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nas.cli.bars import bars
from nas.cli.evaluate_table import print_table, to_plain, write_csv
from nas.cli.options import NET_FILE, Degradation, Device, Force, Json, Trial, argument, option
from nas.cli.targets import check_target, named_partners, named_paths
from search_spaces.errors import InputError
from search_spaces.files import check_free

if TYPE_CHECKING:
    from nas.evaluate.benchmark import Enlarge, Pixels, TestSet
    from nas.evaluate.metrics import Metric
    from nas.evaluate.validate import Quality

__all__ = ["evaluate"]


def evaluate(
    network: Annotated[
        str,
        argument(
            f"{NET_FILE}, a run folder, a folder of nas export, a network that ships, or `bicubic`."
        ),
    ],
    test_sets: Annotated[list[str], option("NAME=FOLDER of HR images; may be repeated.", "--set")],
    trial: Trial = "best",
    scale: Annotated[int | None, option("1, 2, 3 or 4; by default the network's own.")] = None,
    lr_folders: Annotated[
        list[str] | None,
        option(
            "NAME=FOLDER of ready LR images for a set of that name, or FOLDER for a single set.",
            "--lr",
        ),
    ] = None,
    degradation: Degradation = None,
    self_ensemble: Annotated[
        bool, option("Mean over 8 flips and turns of each image.", "--self-ensemble")
    ] = False,
    metrics: Annotated[
        str | None,
        option(
            "More figures beside PSNR-Y and SSIM-Y, NAME[,NAME]: psnr_rgb, ms_ssim_y, lpips, dists."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        option("Folder of the published weights that lpips and dists need; see docs/published.md."),
    ] = None,
    device: Device = None,
    save: Annotated[Path | None, option("Folder to write the SR images into, as PNG.")] = None,
    csv: Annotated[Path | None, option("File to write every figure into.")] = None,
    json_output: Json = False,
    force: Force = False,
) -> None:
    """Evaluate a network on test sets: PSNR-Y and SSIM-Y, per image and mean, beside bicubic's.

    At scale 1 the input's own figures stand in place of bicubic's.
    Without --lr, LR images are made as MATLAB's imresize makes them, or by --degradation, always
    alike for an image of that name.
    """
    from nas.evaluate.baseline import baseline
    from nas.evaluate.benchmark import workers_on
    from nas.evaluate.exact import exact_convolutions
    from nas.evaluate.metrics import metrics_of

    if csv is not None:
        check_target(csv, "--csv", force=force)
    enlarge, facts = _enlarger(network, trial, scale, device, self_ensemble)
    names = [] if metrics is None else metrics.split(",")
    if weights is not None and not {"lpips", "dists"} & set(names):
        raise InputError("--weights: expected --metrics lpips or dists, which need them")
    more = metrics_of(names, weights, facts.get("device", "cpu"))
    opened = _opened(test_sets, lr_folders or [], facts["scale"], degradation)
    if save is not None:
        for path in (_png(save, one.name, pair.name) for one in opened for pair in one.pairs):
            check_free(path, force=force)
    with exact_convolutions():
        # The baseline comes second, unless it is what is asked for.
        enlargers = [enlarge, *([] if network == "bicubic" else [_bicubic(facts["scale"])])]
        results = _measured(enlargers, opened, save, more, workers_on(facts.get("device", "cpu")))
    facts["self_ensemble"] = self_ensemble
    beside = baseline(facts["scale"])
    if csv is not None:
        write_csv(csv, results, beside, more)
    if json_output:
        sets = [
            to_plain(name, *found, baseline=beside, metrics=more) for name, found in results.items()
        ]
        print(json.dumps({**facts, "sets": sets}))
    else:
        print_table(facts, results, beside, more)


def _enlarger(
    name: str, trial: str, scale: int | None, device: str | None, self_ensemble: bool
) -> tuple[Enlarge, dict[str, Any]]:
    if scale not in (None, 1, 2, 3, 4):
        raise InputError(f"--scale: expected 1, 2, 3 or 4, got {scale}")
    if name == "bicubic":
        from nas.evaluate.baseline import baseline

        if scale is None:
            raise InputError("bicubic has no scale of its own: give --scale 1, 2, 3 or 4")
        if self_ensemble:
            raise InputError("--self-ensemble: expected a network, got bicubic")
        return _bicubic(scale), {"network": baseline(scale), "scale": scale}
    from nas.deploy.runtimes import TORCH
    from nas.evaluate.precision import best_device
    from nas.evaluate.upscale import enlarger
    from nas.networks import runnable
    from nas.upscale.runtime_network import RuntimeNetwork
    from search_spaces import price

    net = runnable(name, trial=trial)
    in_file = net if isinstance(net, RuntimeNetwork) else None
    if in_file is not None and device not in (None, "cpu"):
        raise InputError(
            f"--device: {name} runs in {in_file.title}, on the CPU; leave --device out"
        )
    if in_file is not None and in_file.lr_size is not None:
        raise InputError(
            f"{name}: takes images of {in_file.lr_size[1]}x{in_file.lr_size[0]} alone, of which "
            f"test sets are not; expected a file for images of any size"
        )
    chosen = best_device("cpu" if in_file is not None else device)
    sized = net if isinstance(net, RuntimeNetwork) else net.architecture
    if scale not in (None, sized.scale):
        raise InputError(f"{name} is of scale {sized.scale}, but --scale is {scale}")
    facts: dict[str, Any] = {"network": name, "scale": sized.scale, "device": str(chosen),
                             "runtime": TORCH if in_file is None else in_file.runtime}  # fmt: skip
    # A file of another maker does not say what it costs.
    if (arch := net.architecture) is not None:
        cost = price(arch)
        facts |= {"hash": arch.hash, "params": cost.params, "macs": cost.macs}
    module = net.module() if isinstance(net, RuntimeNetwork) else net
    return enlarger(
        module, sized.scale, sized.colors, device=chosen, self_ensemble=self_ensemble
    ), facts


def _bicubic(scale: int) -> Enlarge:
    from nas.data.degradation import bicubic_up

    return lambda lr: bicubic_up(lr, scale)


def _opened(
    test_sets: list[str], lr_folders: list[str], scale: int, degradation: str | None
) -> list[TestSet]:
    from nas.data.places import degradation_of
    from nas.evaluate.benchmark import TestSet

    sets = named_paths(test_sets, "--set")
    lrs = named_partners(lr_folders, "--lr", sets)
    for name in sets:
        # Folders of that name are made where images are saved.
        if {"/", "\\"} & set(name) or name.startswith("."):
            raise InputError(f"--set: expected NAME=FOLDER, got the name {name!r}")
    by = degradation_of(degradation)
    return [
        TestSet.open(name, hr, scale, lr=lrs.get(name), degradation=by) for name, hr in sets.items()
    ]


def _measured(
    enlargers: list[Enlarge],
    sets: list[TestSet],
    save: Path | None,
    metrics: tuple[Metric, ...],
    workers: int,
) -> dict[str, tuple[Quality, ...]]:
    from nas.evaluate.benchmark import evaluate_together

    with bars() as progress:
        tasks = {one.name: progress.add_task(one.name, total=len(one)) for one in sets}

        def watcher(name: str) -> Callable[[Any, Pixels], None]:
            def on_image(image: Any, sr: Pixels) -> None:
                if save is not None:
                    _write_png(_png(save, name, image.name), sr)
                progress.advance(tasks[name])

            return on_image

        return {
            one.name: evaluate_together(
                enlargers, one, on_image=watcher(one.name), workers=workers, metrics=metrics
            )
            for one in sets
        }


def _png(folder: Path, test_set: str, image: str) -> Path:
    return folder / test_set / f"{Path(image).stem}.png"


def _write_png(path: Path, pixels: Pixels) -> None:
    from PIL import Image

    from search_spaces.files import atomic_path

    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
