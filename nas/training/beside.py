"""What a trained network is held against: bicubic or the input, and its search's training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from nas.evaluate.baseline import baseline
from nas.evaluate.validate import bicubic_quality
from nas.training.settings import Proxy, TrainSettings

__all__ = ["Beside"]

_SAME_PHOTOS_DB = 5e-4


@dataclass(frozen=True, slots=True)
class Beside:
    """PSNR-Y in dB.

    Attributes:
        bicubic: of bicubic upscaling, or the input, by the name of the validation set; empty: not
            measured.
        proxy: of the search's short training, whatever photos it was judged on.
        baseline: which of the two ``bicubic`` is, as in `nas.evaluate.baseline`.
    """

    bicubic: Mapping[str, float] = field(default_factory=dict)
    proxy: Proxy | None = None
    baseline: str = "bicubic"

    @classmethod
    def measured(cls, settings: TrainSettings) -> Beside:
        """On the photos of a training."""
        photos, scale = settings.photos, settings.architecture.scale
        bicubic = {n: bicubic_quality(some, scale).psnr_y_db for n, some in photos.sets.items()}
        return cls(bicubic, settings.proxy, baseline(scale))

    @property
    def bicubic_db(self) -> float:
        """That of the first set; NaN where nothing was measured."""
        return next(iter(self.bicubic.values()), math.nan)

    @property
    def proxy_db(self) -> float | None:
        """That of the short training, where it was judged on the same photos as the first set."""
        if self.proxy is None:
            return None
        same = abs(self.proxy.bicubic_psnr_y_db - self.bicubic_db) < _SAME_PHOTOS_DB
        return self.proxy.psnr_y_db if same else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the comparison."""
        if self.proxy is None or not self.bicubic or self.proxy_db is not None:
            return ()
        return (
            f"The search judged on other photos ({self.baseline} there "
            f"{self.proxy.bicubic_psnr_y_db:.3f} dB): its {self.proxy.psnr_y_db:.3f} dB are not "
            f"compared",
        )

    def to_plain(self) -> dict[str, float | None]:
        """Both, for train.yaml."""
        return {"bicubic_psnr_y_db": self.bicubic_db, "proxy_psnr_y_db": self.proxy_db}
