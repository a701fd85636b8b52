"""The classes: so many parameters and multi-adds, and who is to be beaten there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.way_to_the_end.cases import dataset
from nas.data import Dataset
from nas.training.schedule import FullRecipe, load_full_recipe
from search_spaces import Architecture, Space, preset, price

__all__ = ["CLASSES", "Search", "WeightClass"]

_FAMILY = ("e_rfdn", "rlfn", "rfdn", "imdn")
"""Published designs of the distillation family, by their points in the default space."""


@dataclass(frozen=True)
class Search:
    """Of a class.

    Attributes:
        space: that is searched.
        quick: latency is limited as well.
        profile: that it ranks by. 320 steps tell neither tiny networks nor deep ones apart: some
            that lead then end behind others.
    """

    space: str
    quick: bool = False
    profile: str = "quick"

    @property
    def label(self) -> str:
        """What its networks are called by."""
        return f"{self.space} quick" if self.quick else self.space

    @property
    def part(self) -> str:
        """That its networks take in a class."""
        return "quick" if self.quick else "found"


@dataclass(frozen=True)
class WeightClass:
    """Networks of one price.

    Attributes:
        name: of it.
        params: the most.
        macs: the most, multi-adds at a 1280x720 output; any number where latency is what counts.
        searches: so many networks each.
        published: designs as they were published, or narrowed to the class, by name; and the same
            on top of the enlarged image, where they have nothing of the sort themselves.
        of_family: how many of the distillation family train to the end.
        steps: of a training to the end. Twice as many are to bring less than 0.02 dB.
        quick_as: the published design whose latency on this machine is the most in a search that
            limits it. Where multi-adds are not limited, the others take part at whatever price.
        finalists: of a search, that train to the end.
        doubled: whether one design trains twice as long.
    """

    name: str
    params: int
    macs: int | None
    searches: tuple[Search, ...]
    published: Mapping[str, Architecture]
    of_family: int
    steps: int
    quick_as: str = ""
    finalists: int = 2
    doubled: bool = True

    @property
    def scale(self) -> int:
        """2, 3 or 4."""
        return next(iter(self.published.values())).scale

    @property
    def photos(self) -> Dataset:
        """To train on, and apart from them to choose by."""
        return dataset(self.scale)

    def holds(self, arch: Architecture) -> bool:
        """Whether a network belongs to it."""
        return _fits(arch, self.params, self.macs)

    def recipe(self, steps: int) -> FullRecipe:
        """The same for everybody."""
        return load_full_recipe("fast", self.scale).stretched(steps)

    @property
    def family(self) -> Mapping[str, Architecture]:
        """The distillation family at the largest width that the class holds.

        None where multi-adds are not limited.
        """
        if self.macs is None:
            return {}
        colors = next(iter(self.published.values())).colors
        space = Space.load("distillation" if colors == 3 else "distillation-luma")
        found = {}
        for name in _FAMILY:
            point = space.narrowed(space.starting_points[name], self.scale, self.holds)
            if point is not None:
                found[name] = space.architecture(point, self.scale)
        return found


def _fits(arch: Architecture, params: int, macs: int | None) -> bool:
    cost = price(arch)
    return cost.params <= params and (macs is None or cost.macs <= macs)


def _widest(name: str, scale: int, params: int, macs: int) -> Architecture:
    """A preset at the largest even width within a price."""
    plain, found = preset(name, scale=scale).to_dict(), None
    for channels in range(8, 129, 2):
        arch = Architecture.from_dict(plain | {"channels": channels})
        if not _fits(arch, params, macs):
            break
        found = arch
    assert found is not None, f"{name} is larger than the class at 8 channels"
    return found


def _luma(name: str, params: int, macs: int, published: Mapping[str, Architecture]) -> WeightClass:
    # Networks of the distillation family that cost as many multi-adds take two to three times as
    # long on a processor: they take part by their published designs. Fused inverted bottlenecks
    # have after 4,000 steps what those of the space `fast` have, at 27 K as at 60 K.
    searches = (
        Search("fast-luma", profile="standard"),
        Search("fast-luma", quick=True, profile="standard"),
    )
    quick_as = next(iter(published))
    return WeightClass(name, params, macs, searches, published, 1, 20_000, quick_as=quick_as)


def _of_preset(name: str, published: str) -> WeightClass:
    """The class of a published network: not a weight more, not a multi-add more."""
    arch = preset(published, scale=2)
    cost = price(arch)
    return _luma(name, cost.params, cost.macs, {published: arch})


def _of_60k(params: int = 60_000, macs: int = 14_000_000_000) -> WeightClass:
    sesr, fsrcnn = _widest("sesr_m11", 2, params, macs), preset("fsrcnn", scale=2)
    return _luma("x2 60K", params, macs, {"sesr_m11 wide": sesr, "fsrcnn": fsrcnn})


def _rgb(name: str, params: int, macs: int, *, anchored: bool = False) -> WeightClass:
    span = _widest("span", 4, params, macs)
    published = {"span": span}
    if anchored:
        skipping = Architecture.from_dict(span.to_dict() | {"image_skip": "anchor"})
        published["span anchored"] = skipping
    # SPAN is the fastest of those that are to be beaten: a network as quick is as quick as any.
    searches = (
        Search("fast", quick=True),
        Search("distillation"),
        Search("fused", profile="standard"),
    )
    return WeightClass(
        name, params, macs, searches, published, len(_FAMILY), 20_000, quick_as="span",
        finalists=1, doubled=False,
    )  # fmt: skip


def _quick() -> WeightClass:
    """As fast as SPAN C 28, with no more weights."""
    names, space = ("span", "disp", "spanv2"), Space.load("fast")
    published = {name: preset(name, scale=4) for name in names}
    most = price(published["span"]).params
    for name in names:
        # With what they add to the image: in so few steps that is half of the matter.
        point = space.starting_points[name]
        published[f"{name} anchored"] = space.architecture(point, 4)
    searches = (Search("fast", quick=True),)
    return WeightClass("x4 SPAN", most, None, searches, published, 0, 4_000, quick_as="span")


CLASSES: Mapping[str, WeightClass] = {
    one.name: one
    for one in (
        _of_preset("x2 10K", "ecbsr_m4c16"),
        _of_preset("x2 13K", "sesr_m5"),
        _of_preset("x2 27K", "sesr_m11"),
        _of_60k(),
        _rgb("x4 150K", 150_688, 8_700_000_000, anchored=True),
        # Not anchored as well: at half the price that ends where SPAN itself does.
        _rgb("x4 320K", 320_000, 18_500_000_000),
        _quick(),
    )
}
"""The cheapest to train first. Of TPSR-NoGAN, which a search found in the class of 60 K, there are
published figures alone."""
