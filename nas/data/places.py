"""Where photos are and how LR is made, so that whoever takes a network up finds the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict

from nas.data.cache import cached_name
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = [
    "ONLY_SET", "PHOTO_FOLDERS", "PhotoPlaces", "PlainFolders", "degradation_of",
    "told_degradation",
]  # fmt: skip

ONLY_SET = "validation"
"""What a set is called that has no name of its own."""


class PlainFolders(TypedDict):
    """Absolute paths of the folders of a search, by its settings' names."""

    data: str | None
    val: str | None
    lr: str | None
    val_lr: str | None


PHOTO_FOLDERS = tuple(PlainFolders.__annotations__)
"""The settings of a search that name folders of photos."""


@dataclass(frozen=True, slots=True)
class PhotoPlaces:
    """Folders of photos.

    Attributes:
        data: to train on; None: the photos that come along.
        val: to judge by, by the set's name, the first of which decides; empty: some of those to
            train on are set apart.
        lr: their own LR, for those to train on and those of them that are set apart; None: LR is
            made from HR.
        val_lr: likewise for those to judge by, by the set's name.
        degradation: by which LR is made where there is none; None: MATLAB's bicubic.
    """

    data: Path | None = None
    val: Mapping[str, Path] = field(default_factory=dict)
    lr: Path | None = None
    val_lr: Mapping[str, Path] = field(default_factory=dict)
    degradation: Chain | None = None

    @classmethod
    def of(
        cls,
        data: Path | None = None,
        val: Path | None = None,
        lr: Path | None = None,
        val_lr: Path | None = None,
        degradation: Chain | str | None = None,
    ) -> Self:
        """Those of a search or a compression, which have one validation set at most.

        Raises:
            InputError: no degradation of that name.
        """
        return cls(data, _only(val), lr, _only(val_lr), degradation_of(degradation))

    @property
    def chain(self) -> Chain | None:
        """The degradation where it is another one than the default."""
        by = self.degradation
        return None if by is None or by.is_default else by

    @property
    def name(self) -> str:
        """The folders' names: see `Dataset.name`."""
        val = ((folder, self.val_lr.get(name)) for name, folder in self.val.items())
        by = "" if self.chain is None else f"+by:{self.chain.name}"
        return "+val:".join(
            ("embedded" if hr is None else cached_name(hr))
            + (by if lr is None else f"+lr:{lr.resolve().name}")
            for hr, lr in ((self.data, self.lr), *val)
        )

    def check(self) -> None:
        """Makes sure that the LR of photos goes with their HR.

        Raises:
            InputError: LR of photos that are not given, LR to train on but none to judge by, or
                LR to train on and what makes it.
        """
        if self.lr is not None and self.degradation is not None:
            raise InputError(
                f"--lr {self.lr}: these photos have LR, which --degradation "
                f"{self.degradation.name} would make: give one of both"
            )
        if self.lr is not None and self.data is None:
            raise InputError(f"--lr {self.lr}: LR of which photos? give their HR with --data")
        for name in self.val_lr:
            if name not in (self.val or {ONLY_SET}):
                raise InputError(
                    f"--val-lr {self.val_lr[name]}: LR of which photos? expected the name of a "
                    f"--val set ({', '.join(self.val) or 'none is given'}), got {name!r}"
                )
        first = next(iter(self.val), None)
        if self.lr is not None and first is not None and first not in self.val_lr:
            raise InputError(
                f"--val {self.val[first]}: photos to train on have LR of their own, those that "
                f"judge have none; give it with --val-lr, or leave --val out"
            )

    def moved(self, to: PhotoPlaces) -> PhotoPlaces:
        """The same photos, where some of the folders are elsewhere by now."""
        val, val_lr = ({**there, **new} for there, new in
                       ((self.val, to.val), (self.val_lr, to.val_lr)))  # fmt: skip
        return PhotoPlaces(to.data or self.data, val, to.lr or self.lr, val_lr, self.degradation)

    def to_plain(self) -> dict[str, Any]:
        """For a file; `from_plain` of it gives the same folders, wherever the reader is."""
        return {
            "data": None if self.data is None else str(self.data.resolve()),
            "val": {name: str(folder.resolve()) for name, folder in self.val.items()},
            "lr": None if self.lr is None else str(self.lr.resolve()),
            "val_lr": {name: str(folder.resolve()) for name, folder in self.val_lr.items()},
            # As it is: its file may be another one by then.
            "degradation": None if self.degradation is None else self.degradation.to_plain(),
        }

    def only_plain(self) -> PlainFolders:
        """The same of a search, which has one validation set at most."""
        plain = self.to_plain()
        val, val_lr = (next(iter(plain[key].values()), None) for key in ("val", "val_lr"))
        return PlainFolders(data=plain["data"], val=val, lr=plain["lr"], val_lr=val_lr)

    @classmethod
    def of_only_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The places again, from what `only_plain` gave and anything else beside it.

        Raises:
            InputError: a degradation that is none.
        """
        return cls.of(
            **{key: Path(plain[key]) if plain.get(key) else None for key in PHOTO_FOLDERS},
            degradation=told_degradation(plain.get("degradation"), "photos"),
        )

    def options(self) -> list[str]:
        """As options of a command that takes one validation set at most."""
        return [
            word
            for key, value in (
                ("--data", self.data),
                ("--lr", self.lr),
                ("--val", next(iter(self.val.values()), None)),
                ("--val-lr", self.val_lr.get(next(iter(self.val), ONLY_SET))),
                ("--degradation", self.chain and self.chain.named),
            )
            if value is not None
            for word in (key, str(value))
        ]


def degradation_of(given: Chain | str | None) -> Chain | None:
    """The degradation of a name or file, where it is not at hand.

    Raises:
        InputError: there is none.
    """
    if not isinstance(given, str):
        return given
    from nas.data.degradations import load_chain

    return load_chain(given)


def told_degradation(plain: Mapping[str, Any] | None, where: str) -> Chain | None:
    """The degradation that a file tells, as `PhotoPlaces.to_plain` wrote it.

    Raises:
        InputError: it is none.
    """
    if plain is None:
        return None
    from nas.data.degradations import Chain

    return Chain.from_plain(plain, f"{where}: degradation")


def _only(folder: Path | None) -> Mapping[str, Path]:
    return {} if folder is None else {ONLY_SET: folder}
