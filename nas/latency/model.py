"""A fitted latency model: asked for any network, it answers without measuring."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from nas.latency.device import Device, name_of
from nas.latency.operations import Operation, operations
from nas.latency.regression import Curve
from search_spaces import Architecture
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.yaml_file import read_yaml

__all__ = ["Accuracy", "LatencyModel", "group_of", "model_for"]

_VERSION = 1
_CONVOLUTION = "convolution"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How well a model foretold networks that it had not seen.

    Attributes:
        networks: held out.
        median_error: median of abs(predicted / measured - 1).
        worst_error: the largest.
        kendall_tau: rank correlation with what was measured, -1..1.
    """

    networks: int
    median_error: float
    worst_error: float
    kendall_tau: float

    @classmethod
    def of(cls, predicted_ms: Sequence[float], measured_ms: Sequence[float]) -> Accuracy:
        """Of predictions and measurements of the same networks."""
        from scipy.stats import kendalltau

        errors = np.abs(np.asarray(predicted_ms) / np.asarray(measured_ms) - 1)
        tau = kendalltau(predicted_ms, measured_ms).statistic if len(errors) > 1 else 0.0
        return cls(
            len(errors),
            round(float(np.median(errors)), 5),
            round(float(errors.max()), 5),
            round(float(tau), 5),
        )


@dataclass(frozen=True)
class LatencyModel:
    """Milliseconds of a network as the sum over its operators, each by its sort's curve.

    Attributes:
        device: what it holds for.
        space: name of the space whose networks it was fitted on.
        curves: by operator; a convolution of a shape never seen goes by ``"convolution"``,
            any other operator by ``"other"``.
        totals: what is added up: the shares of convolutions and of the rest, and milliseconds
            for each operator and for a pass.
        fitted_on: networks.
        accuracy: on held-out networks; None where none were held out.
        made_with: machine, versions and revision.
    """

    device: Device
    space: str
    curves: Mapping[str, Curve]
    totals: tuple[float, float, float, float]
    fitted_on: int
    accuracy: Accuracy | None = None
    made_with: Mapping[str, Any] = field(default_factory=dict)

    def predict_ms(self, architecture: Architecture) -> float:
        """The latency of one forward pass of the network, as it stands (not folded)."""
        counted = self.parts_ms(operations(architecture, self.device.lr_size, self.device.dtype))
        return float(counted @ np.array(self.totals))

    @cached_property
    def hash(self) -> str:
        """16 hex digits of all that decides its answers."""
        plain = self.to_dict()
        decisive = [plain[key] for key in ("device", "totals", "curves")]
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]

    def parts_ms(self, of: Sequence[Operation]) -> npt.NDArray[np.float64]:
        """What `totals` weighs: convolutions [ms], the rest [ms], number of operators, 1."""
        times_ms = np.zeros(len(of))
        places: defaultdict[str, list[int]] = defaultdict(list)
        for k, one in enumerate(of):
            places[one.kind if one.kind in self.curves else group_of(one.kind)].append(k)
        for name, at in places.items():
            times_ms[at] = self.curves[name].predict_ms([of[k] for k in at])
        convolves = np.array([_CONVOLUTION in one.kind for one in of])
        return np.array([times_ms[convolves].sum(), times_ms[~convolves].sum(), len(of), 1.0])

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "latency_model": _VERSION,
            "device": self.device.to_dict(),
            "space": self.space,
            "fitted_on": self.fitted_on,
            "accuracy": None if self.accuracy is None else asdict(self.accuracy),
            "totals": [float(f"{share:.6g}") for share in self.totals],
            "made_with": dict(self.made_with),
            "curves": {kind: curve.to_dict() for kind, curve in sorted(self.curves.items())},
        }

    def save(self, path: Path | str) -> None:
        """Writes it as YAML, whole or not at all.

        Raises:
            InputError: the folder cannot be written.
        """
        with atomic_path(path) as temporary:
            plain = self.to_dict()
            text = yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=100)
            temporary.write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: Path | str) -> LatencyModel:
        """The model in a file.

        Raises:
            InputError: not a latency model, or a damaged one.
        """
        plain, _ = read_yaml(path)
        return cls.from_dict(plain, str(path))

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], name: str) -> LatencyModel:
        """The model again from what ``to_dict`` gave; ``name`` says in errors where it lay.

        Raises:
            InputError: not a latency model, or a damaged one.
        """
        if plain.get("latency_model") != _VERSION:
            raise InputError(
                f"{name}: expected a latency model (nas latency fit -o FILE writes one), "
                f"found no latency_model: {_VERSION}"
            )
        try:
            convolves, rest, each, constant = (float(share) for share in plain["totals"])
            model = cls(
                Device.from_dict(plain["device"]),
                str(plain["space"]),
                {kind: Curve.from_dict(curve) for kind, curve in plain["curves"].items()},
                (convolves, rest, each, constant),
                int(plain["fitted_on"]),
                Accuracy(**plain["accuracy"]) if plain["accuracy"] else None,
                plain["made_with"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{name}: damaged latency model ({type(error).__name__}: {reason}); fit it again"
            ) from None
        if not {_CONVOLUTION, "other"} <= set(model.curves):
            raise InputError(f"{name}: damaged latency model (curves missing); fit it again")
        return model


def group_of(kind: str) -> str:
    """The curve for operators that have none of their own."""
    return _CONVOLUTION if _CONVOLUTION in kind else "other"


def model_for(
    path: Path | str,
    *,
    lr_size: tuple[int, int] | None,
    scale: int,
    place: str | None,
    elsewhere: bool,
) -> LatencyModel:
    """The model in a file, if it holds for what is asked.

    Args:
        path: the file.
        lr_size: (height, width) of the input whose latency is wanted; None: the model's.
        scale: of the networks.
        place: the device, as torch names it; None for the best one here.
        elsewhere: another device's model is meant.

    Raises:
        InputError: not a latency model, or one of another device, size or scale.
    """
    model = LatencyModel.load(path)
    device = model.device
    height, width = device.lr_size
    fit = "nas latency fit makes one"
    if lr_size not in (None, device.lr_size):
        asked = f"{lr_size[1]}x{lr_size[0]}"
        raise InputError(
            f"{path}: is of {width}x{height} input, but --latency-size is {asked}: leave that out, "
            f"or take a model of that size ({fit})"
        )
    if scale != device.scale:
        raise InputError(f"{path}: is of networks x{device.scale}, but --scale is {scale}; {fit}")
    if elsewhere or device.place == Device.BEHIND_COMMAND:
        return model
    here = name_of(place)
    if here != device.name:
        raise InputError(
            f"{path}: is of the device {device.name!r}, this one is {here!r}: take a model of it "
            f"({fit}), or say --latency-elsewhere to search for that other device"
        )
    return model
