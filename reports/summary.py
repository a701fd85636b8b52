"""What a report needs to know of a run beside its trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nas.choice import BETTER, Choice
from nas.objectives import OBJECTIVES, Objective
from search_spaces.errors import InputError

__all__ = ["RunSummary"]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run was set up, and the counts that its trials do not hold.

    Attributes:
        title: what was searched, one line, such as ``"Search within 600K parameters"``.
        space: name of the search space.
        data: name of the training data.
        profile: name of the proxy recipe.
        scale: upscaling factor, 1 to 4.
        objectives: names of the study's objectives, as in ``nas.objectives.OBJECTIVES``.
        budgets: attribute of the record (``"params"``, ``"latency_ms"``) -> highest figure allowed,
            in the record's own unit.
        hr: height and width of the output that multi-adds and activations are counted for.
        latency_at: what latency was measured on, such as ``"64x64 input, 2 threads"``.
        bicubic_psnr_y_db: PSNR-Y of bicubic upscaling on the validation photos, dB; of the input
            itself at scale 1.
        baseline: which of the two it is: ``"bicubic"`` or ``"input"``.
        proposals: networks that the sampler proposed.
        proposals_fit: how many of them kept to every budget.
        duplicates: proposals not trained because an equal network had been.
        adapted: numbers of the published systems' trials whose network was changed to fit the
            space; they are marked with an asterisk.
        prefer: which of the networks that seeds alone may part is the best, as in ``nas.choice``.
        noise_db: standard deviation of ONE network's PSNR-Y between seeds; 0: unknown.

    Raises:
        InputError: an objective or a budgeted attribute that is not in the table.
    """

    title: str
    space: str = ""
    data: str = ""
    profile: str = ""
    scale: int | None = None
    objectives: tuple[str, ...] = ("psnr", "params")
    budgets: Mapping[str, float] = field(default_factory=dict)
    hr: tuple[int, int] = (720, 1280)
    latency_at: str = ""
    bicubic_psnr_y_db: float | None = None
    baseline: str = "bicubic"
    proposals: int | None = None
    proposals_fit: int | None = None
    duplicates: int | None = None
    adapted: frozenset[int] = frozenset()
    prefer: str = BETTER
    noise_db: float = 0.0

    def __post_init__(self) -> None:
        attributes = [one.attribute for one in OBJECTIVES.values()]
        for known, given, what in (
            (list(OBJECTIVES), self.objectives, "objective"),
            (attributes, self.budgets, "budgeted attribute"),
        ):
            if unknown := [name for name in given if name not in known]:
                raise InputError(f"unknown {what} {unknown[0]!r}: use one of {', '.join(known)}")

    @property
    def weighed(self) -> tuple[Objective, ...]:
        """The study's objectives."""
        return tuple(OBJECTIVES[name] for name in self.objectives)

    @property
    def choice(self) -> Choice:
        """How the best network is chosen."""
        return Choice.of(self.objectives, self.budgets, self.prefer, self.noise_db)

    @property
    def walls(self) -> tuple[tuple[Objective, float], ...]:
        """The budgeted figures with their limits, in the order of the table of objectives."""
        every = OBJECTIVES.values()
        return tuple((o, self.budgets[o.attribute]) for o in every if o.attribute in self.budgets)

    @property
    def setting(self) -> str:
        """Space, data, scale and profile in one line; what is not known is left out."""
        parts = (
            self.space and f"{self.space} space",
            self.data if self.data.endswith("photos") else self.data and f"{self.data} photos",
            f"x{self.scale}" if self.scale else "",
            self.profile and f"{self.profile} profile",
        )
        return ", ".join(part for part in parts if part)
