"""The whole way at once: fold, prune, distil, fold, int8; every step measured and checked."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from compress.distill import MIMICRY, Lessons, Teaching
from compress.finetune import finetune, forget
from compress.fold import fold
from compress.int8_step import to_int8
from compress.prune import Method, check_budget, prune
from compress.step import Judge, flaw
from nas.compression import GIVEN, INT8, CompressionStep, read_steps, write_steps
from nas.deploy.int8_formats import INT8_FORMATS
from nas.records import REJECTED, TrialRecord
from nas.training.loop import OnStep
from nas.training.recipe import Recipe
from search_spaces.errors import InputError, NotPossible, WriteError
from search_spaces.files import atomic_path
from search_spaces.network import Network
from search_spaces.weights import load, save_weights

__all__ = ["STEPS", "Compressed", "CompressionPlan", "auto"]

STEPS = ("fold", "prune", "distill", "fold", INT8)
"""What a network goes through, in this order."""

OnRecord = Callable[[CompressionStep], None]
OnStage = Callable[[str], None]

_METHOD = Method()
_RECORDS, _PLAN = "steps.json", "plan.json"
# Folding sums weights in another order: that may move a pixel by one, not the mean.
_SAME_DB = 0.01


@dataclass(frozen=True, slots=True)
class CompressionPlan:
    """What is to be done with a network.

    Attributes:
        figure: what the budget limits, one of `compress.plan.FIGURES`.
        limit: at most so much.
        method: how channels are chosen for pruning.
        recipe: of the fine-tuning after it; None leaves that out.
        lessons: weights of the fine-tuning's losses; the teacher is the network as it came.
        int8: ending of the last step's file, one of `INT8_FORMATS`; None leaves the step out.
        most_drop_db: PSNR-Y that int8 may cost; more is not kept.
        qat_steps: of fine-tuning with rounding, where int8 costs more without; None: what the
            format has (`nas.deploy.int8_formats`).
    """

    figure: str
    limit: float
    method: Method = _METHOD
    recipe: Recipe | None = None
    lessons: Lessons = MIMICRY
    int8: str | None = ".onnx"
    most_drop_db: float = 0.12
    qat_steps: int | None = None

    def __post_init__(self) -> None:
        if self.int8 is not None and self.int8 not in INT8_FORMATS:
            known = " or ".join(one.lstrip(".") for one in INT8_FORMATS)
            raise InputError(f"int8 format: expected {known}, got {self.int8.lstrip('.')}")
        if (self.qat_steps or 0) < 0:
            raise InputError(f"qat steps: expected 0 or more, got {self.qat_steps}")


@dataclass(frozen=True, slots=True)
class Compressed:
    """What came of it: the last network that was kept, all steps, and the int8 file if any."""

    network: Network
    steps: tuple[CompressionStep, ...]
    int8: Path | None


def auto(
    network: Network,
    plan: CompressionPlan,
    folder: Path,
    judge: Judge,
    *,
    on_step: OnStep | None = None,
    on_record: OnRecord | None = None,
    on_stage: OnStage | None = None,
) -> Compressed:
    """Takes a network through all steps; what makes it worse is reported and not kept.

    After each step the output's shape and the price are checked, the price by counting. A
    fold may cost neither quality nor anything else; pruning has to reach the budget;
    fine-tuning has to bring PSNR-Y; int8 has to be faster and smaller, at little cost.

    Args:
        network: it stays as it is.
        plan: what is to be done.
        folder: what is done is kept here step by step; the same call goes on with it.
        judge: measures the networks; its photos are trained on.
        on_step: called with the fine-tuning's steps done and the loss.
        on_record: called with the record of every step, of those from before, too.
        on_stage: called with what the step to int8 does next, one line each.

    Raises:
        NotPossible: a budget that the network cannot be pruned to.
        InputError: a folder that holds the steps of another plan or network or cannot be written,
            or a step that fails for what is not the network's: the same call takes it again.
    """
    check_budget(network, plan.figure, plan.limit, plan.method)
    _claim(folder, network, plan, judge)
    run = _Run(network, plan, folder, judge, on_step, on_record or (lambda step: None), on_stage)
    return run.all()


class _Run:
    def __init__(
        self,
        network: Network,
        plan: CompressionPlan,
        folder: Path,
        judge: Judge,
        on_step: OnStep | None,
        on_record: OnRecord,
        on_stage: OnStage | None,
    ) -> None:
        self.given, self.plan, self.folder, self.judge = network, plan, folder, judge
        self.on_step, self.on_record, self.on_stage = on_step, on_record, on_stage
        self.done = list(read_steps(folder / _RECORDS))
        self.teaching = Teaching((network,), plan.lessons)
        self.makers: dict[str, Callable[[Network], Network]] = {
            GIVEN: lambda network: network,
            "fold": lambda network: fold(network).network,
            "prune": self._prune,
            "distill": self._distill,
        }

    def all(self) -> Compressed:
        current, last = self.given, None
        names = [GIVEN, *(name for name in STEPS if name != INT8)]
        if self.plan.recipe is None:
            names.remove("distill")
        for place, name in enumerate(names):
            if place < len(self.done):
                step = self.done[place]
                if step.kept and step.file:
                    current = load(self.folder / step.file)
            else:
                step, current = self._take(place, name, current, last)
            last = step.record if step.kept else last
            self.on_record(step)
        graph = None
        if self.plan.int8 is not None:
            assert last is not None
            graph = self._int8(len(names), self.plan.int8, current, last)
        return Compressed(current, tuple(self.done), graph)

    def _take(
        self, place: int, name: str, before: Network, known: TrialRecord | None
    ) -> tuple[CompressionStep, Network]:
        """One step: made, checked, measured, judged, written."""
        began = time.perf_counter()
        file = self.folder / f"{place}-{name}.safetensors"
        try:
            made = self.makers[name](before)
        except NotPossible as error:
            # A finding about the network, and no reason to stop.
            made, wrong = before, str(error)
        else:
            wrong = flaw(made)
        if wrong:
            record = TrialRecord(self.judge.trial, REJECTED, f"compressed:{name}", reason=wrong)
        else:
            record = self.judge.record(made, name)
            reason = "" if known is None else self._worse(name, known, record)
            if reason:
                record = replace(record, state=REJECTED, reason=reason)
        kept = not record.reason
        if kept:
            save_weights(made, file)
        step = CompressionStep(
            place, name, kept, record, file.name if kept else "",
            file.stat().st_size if kept else None, round(time.perf_counter() - began, 1),
        )  # fmt: skip
        self._write(step)
        return step, made if kept else before

    def _write(self, step: CompressionStep) -> None:
        # The weights are there already: a step that is recorded can be gone on from.
        self.done.append(step)
        write_steps(self.done, self.folder / _RECORDS)
        forget(self.folder / step.name)

    def _prune(self, network: Network) -> Network:
        plan = self.plan
        dataset = self.judge.dataset
        return prune(network, plan.figure, plan.limit, plan.method, dataset=dataset).network

    def _distill(self, network: Network) -> Network:
        assert self.plan.recipe is not None
        tuned = finetune(
            network, self.judge.dataset, self.plan.recipe, device=self.judge.meter.device,
            teaching=self.teaching, checkpoint=self.folder / "distill", on_step=self.on_step,
        )  # fmt: skip
        if tuned.after_db is None:
            raise NotPossible("the training diverged: a lower learning rate may help")
        return tuned.network

    def _worse(self, name: str, before: TrialRecord, after: TrialRecord) -> str:
        """Why the step is not worth keeping, one line; ``""`` where it is."""
        gain_db = (after.psnr_y_db or 0.0) - (before.psnr_y_db or 0.0)
        if name == "fold":
            if after.architecture_hash == before.architecture_hash:
                return "there was nothing to fold"
            if gain_db < -_SAME_DB:
                return f"folding moved PSNR-Y by {gain_db:+.3f} dB"
            if (after.params or 0) > (before.params or 0) or (after.macs or 0) > (before.macs or 0):
                return "folding made it dearer"
        if name == "prune":
            cost, was = getattr(after, self.plan.figure), getattr(before, self.plan.figure)
            if not cost < was or cost > self.plan.limit:
                return f"pruned from {was:,} to {cost:,} {self.plan.figure}: over the budget"
        if name == "distill" and gain_db <= 0:
            return f"training moved PSNR-Y by {gain_db:+.3f} dB"
        return ""

    def _int8(self, place: int, ending: str, network: Network, before: TrialRecord) -> Path | None:
        if place == len(self.done):
            file = self.folder / f"{place}-{INT8}{ending}"
            try:
                made = to_int8(
                    network, before, place, file, self.judge, self.plan.most_drop_db,
                    qat_steps=self.plan.qat_steps, on_stage=self.on_stage,
                )  # fmt: skip
            except WriteError:
                raise
            except InputError as error:
                # A package that is not installed, say: the float32 network is there all the same.
                # Not written down: once that is mended, the same command makes this step.
                record = TrialRecord(
                    self.judge.trial, REJECTED, f"compressed:{INT8}", reason=str(error)
                )
                self.done.append(CompressionStep(place, INT8, False, record))
            else:
                self._write(made)
        step = self.done[place]
        self.on_record(step)
        return self.folder / step.file if step.kept else None


def _claim(folder: Path, network: Network, plan: CompressionPlan, judge: Judge) -> None:
    """Notes in the folder what it is for; steps of anything else in it are an error."""
    digest = hashlib.sha256(network.architecture.hash.encode())
    for tensor in network.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    identity = {
        "network": digest.hexdigest()[:16],
        "plan": repr(plan),
        "photos": judge.dataset.fingerprint,
        "measured": repr((judge.meter.latency_place, judge.meter.hr, judge.trial)),
    }
    path = folder / _PLAN
    if not path.is_file():
        # A plan that was being written when the power went is hidden.
        if folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir()):
            raise InputError(
                f"{folder}: is there already and holds no steps of a compression; give another "
                f"output"
            )
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(identity, indent=1) + "\n", encoding="utf-8")
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    other = [key for key in identity if found.get(key) != identity[key]]
    if other:
        raise InputError(
            f"{folder}: holds the steps of another compression (its {other[0]} differs); give "
            f"another output, or delete this folder to begin anew"
        )
