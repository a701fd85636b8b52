"""All that a page tells of one run, gathered by whoever may import torch and Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nas.audit.trust import Trust
from nas.records import TrialRecord
from reports.plots.published import PublishedInfo
from reports.summary import RunSummary

__all__ = ["CropImage", "Importance", "PhotoCrops", "RunAccount"]


@dataclass(frozen=True, slots=True)
class Importance:
    """What the dimensions of the search space weigh for one target.

    Attributes:
        target: what is reached, such as ``"the front"`` or ``"PSNR-Y"``.
        shares: dimension -> its share, 0..1, all together 1; the largest first.
    """

    target: str
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class CropImage:
    """One rendering of a piece of a photo.

    Attributes:
        name: whose, such as ``"bicubic"`` or ``"trial 6"``.
        png: the picture's file.
        psnr_y_db: PSNR on BT.601 luma against the HR piece, dB; None for what has none.
        number: of the trial, if it is a network's.
        detail: what to say of it beside, such as its parameters.
    """

    name: str
    png: bytes
    psnr_y_db: float | None = None
    number: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PhotoCrops:
    """One piece of one photo, by everyone; ``place`` says where it lies in the photo."""

    photo: str
    place: str
    images: tuple[CropImage, ...]


@dataclass(frozen=True, slots=True)
class RunAccount:
    """One run, whole.

    Attributes:
        name: short, and another for each run of a page.
        summary: its setting, budgets and counts.
        records: every trial that was started.
        ended_s: trial number -> seconds from the start of the search until the trial ended.
        full_steps: optimiser steps of a training that is not stopped early.
        importance: of the dimensions, one entry a target.
        compressed: what compression made of its networks, in order; ``source`` says how.
        audit: what an audit found of its short trainings, if there was one.
        crops: pieces of its validation photos.
        published: its networks among published ones, one entry a test set.
        made: (what, how) lines on how everything was made.
        gaps: what could not be shown and why, one line each.
    """

    name: str
    summary: RunSummary
    records: tuple[TrialRecord, ...]
    ended_s: Mapping[int, float] = field(default_factory=dict)
    full_steps: int | None = None
    importance: tuple[Importance, ...] = ()
    compressed: tuple[TrialRecord, ...] = ()
    audit: Trust | None = None
    crops: tuple[PhotoCrops, ...] = ()
    published: Mapping[str, PublishedInfo] = field(default_factory=dict)
    made: tuple[tuple[str, str], ...] = ()
    gaps: tuple[str, ...] = ()
