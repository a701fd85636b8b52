"""``nas search``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nas.cli.options import (
    BEST,
    Data,
    Degradation,
    Device,
    JsonLines,
    LatencyCommand,
    LatencyLimit,
    LatencyPattern,
    Lr,
    Scale,
    Threads,
    Timeout,
    Validation,
    ValidationLr,
    option,
)
from nas.objectives import OBJECTIVES

__all__ = ["GROUPS", "search"]

GROUPS = {
    "What is searched": ("budget", "objectives", "prefer", "scale", "space"),
    "How long": ("profile", "trials", "timeout"),
    "Photos": ("data", "lr", "val", "val_lr", "degradation"),
    "Where it is kept": ("run", "storage", "study", "checkpoints"),
    "Which network is next": (
        "sampler", "seed", "candidates", "warm_start", "early_stop", "rungs", "eta",
    ),
    "Latency and device": (
        "device", "threads", "latency_size", "latency_model", "latency_elsewhere",
        "latency_command", "latency_pattern", "latency_limit",
    ),
    "Workers": ("workers", "engine", "address", "cpus_per_worker", "gpus_per_worker"),
    "Afterwards": ("train_best", "train_recipe", "train_steps", "compress", "compress_budget"),
}  # fmt: skip
"""Parameters by the title under which the help shows them."""

_BUDGETS = "; ".join(
    f"{one.example} ({one.about})" if one.about else one.example
    for one in OBJECTIVES.values()
    if one.example
)
_OBJECTIVES = ", ".join(
    f"{name} (= {one.aliases[0]})" if one.aliases else name for name, one in OBJECTIVES.items()
)


def search(
    budget: Annotated[
        list[str] | None,
        option(
            f"The most that a network may cost; repeatable. {_BUDGETS}. No network over a budget "
            "is trained. Default: none."
        ),
    ] = None,
    objectives: Annotated[
        str | None,
        option(
            f"What the front weighs, with commas: {_OBJECTIVES}. Default: psnr against every "
            "budgeted figure, or against params."
        ),
    ] = None,
    space: Annotated[str, option("A named space (nas spaces) or a YAML file.")] = "distillation",
    scale: Scale = 4,
    profile: Annotated[
        str, option("Length of the proxy training: smoke, quick, standard, full.")
    ] = "quick",
    trials: Annotated[
        int | None, option(
            "Networks to train in all, earlier starts counted. Default: by the profile, smoke 4, "
            "quick 24, standard 80, full 260."
        )
    ] = None,
    timeout: Timeout = None,
    rungs: Annotated[
        int | None,
        option(
            "Judge networks at so many steps of their training, the last one included, and let "
            "only the best go on from each. Default: 2; 1 for trainings of less than 100 steps."
        ),
    ] = None,
    eta: Annotated[float, option("From each rung one of so many networks goes on.")] = 2.0,
    early_stop: Annotated[bool, option("Whether networks may stop before the end.")] = True,
    warm_start: Annotated[
        list[Path] | None,
        option("An earlier run's folder, whose front is trained first; repeatable. Default: none."),
    ] = None,
    candidates: Annotated[
        int,
        option(
            "Of so many proposals the one is trained that promises most by what the networks so "
            "far are worth; 1: the sampler's first."
        ),
    ] = 4,
    prefer: Annotated[
        str | None, option(f"{BEST} Default: better, or as the run was begun.")
    ] = None,
    sampler: Annotated[str, option("Optuna's sampler: tpe, nsga2, nsga3, gp, random.")] = "tpe",
    seed: Annotated[int, option("Seed of the sampler.")] = 0,
    data: Data = None,
    lr: Lr = None,
    val: Validation = None,
    val_lr: ValidationLr = None,
    degradation: Degradation = None,
    run: Annotated[
        Path | None, option("Run folder. Default: runs/ and the budgets' names.")
    ] = None,
    storage: Annotated[
        str | None,
        option(
            "URL of an Optuna store, such as postgresql://me@host/db. Default: inside the run "
            "folder.",
            envvar="NAS_STORAGE", show_envvar=False,
        ),
    ] = None,
    latency_size: Annotated[
        str | None, option("WIDTHxHEIGHT that latency is for. Default: the model's, else 160x90.")
    ] = None,
    threads: Threads = None,
    latency_model: Annotated[
        Path | None, option(
            "A file of nas latency fit, which then says latencies unmeasured. Default: none, they "
            "are measured here."
        )
    ] = None,
    latency_elsewhere: Annotated[
        bool, option("The latency model is another device's, which is searched for.")
    ] = False,
    latency_command: LatencyCommand = None,
    latency_pattern: LatencyPattern = None,
    latency_limit: LatencyLimit = None,
    device: Device = None,
    workers: Annotated[
        int | None,
        option(
            "Workers on this machine, which share its cores and GPUs. 1 gives equal bits for "
            "equal seeds; 0 only makes the study, for nas worker elsewhere. Default: one a GPU, "
            "else one a core; 1 for trainings of less than 100 steps."
        ),
    ] = None,
    study: Annotated[
        str | None, option("The study's name in --storage. Default: the run folder's.")
    ] = None,
    checkpoints: Annotated[
        str | None,
        option(
            "Folder or fsspec URL for checkpoints and weights that workers on other machines see. "
            "Default: the run folder."
        ),
    ] = None,
    engine: Annotated[str, option("Who places the workers: local, or ray on a cluster.")] = "local",
    address: Annotated[
        str | None, option("With --engine ray: the cluster's. Default: one that Ray finds.")
    ] = None,
    cpus_per_worker: Annotated[
        int, option("With --engine ray: CPUs, and threads, of a worker.")
    ] = 1,
    gpus_per_worker: Annotated[
        float, option("With --engine ray: GPUs of a worker; 0.25: four share one.")
    ] = 0.0,
    compress: Annotated[
        int | None,
        option("Compress so many of the front's best: nas compress auto. Default: none."),
    ] = None,
    compress_budget: Annotated[
        str, option("What each may cost then: a share of its own parameters or a budget.")
    ] = "70%",
    train_best: Annotated[
        int | None, option("Train so many of the best fully: nas train. Default: none.")
    ] = None,
    train_recipe: Annotated[str, option("By which recipe then.")] = "fast",
    train_steps: Annotated[
        int | None, option("In so many steps then. Default: the recipe's own.")
    ] = None,
    json_lines: JsonLines = False,
) -> None:  # fmt: skip
    """Find the best networks within your budgets.

    The same command again goes on with a search that was stopped, by whatever means.
    """
    # An option that is a setting has its name.
    given = locals()

    from nas.cli.compress.front import check_compression, compress_front
    from nas.cli.interrupts import ended_by_the_second
    from nas.cli.latency_device import check_none
    from nas.cli.progress import make_observer
    from nas.cli.report.main import write_report
    from nas.cli.train_best import check_training
    from nas.cli.train_best import train_best as train_front
    from nas.explore.settings import SearchSettings, make_settings
    from nas.workers.crew import Crew
    from nas.workers.together import search_together

    if latency_command:
        check_none({"--threads": threads is not None})
    check_compression(compress, compress_budget)
    check_training(train_best, train_recipe, train_steps, scale)
    settings = make_settings(**{k: given[k] for k in SearchSettings.model_fields if k in given})
    crew = Crew(workers, engine, address, cpus_per_worker, gpus_per_worker)
    with make_observer(json_lines) as observer, ended_by_the_second():
        result = search_together(settings, crew, observer)
    if workers == 0:
        print(f"The study is there; on every machine: nas worker --study {settings.study_name}")
        return
    if train_best is not None:
        train_front(result, settings, train_best, train_recipe, train_steps, json_lines=json_lines)
    if compress is not None:
        compress_front(result, settings, compress, compress_budget, quiet=json_lines)
    write_report(result, quiet=json_lines)
