"""A run's records and long trainings as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas.audit.price import COSTS
from nas.audit.store import AuditFolder, Training
from nas.predictor import described
from nas.records import FINISHED, TrialRecord

if TYPE_CHECKING:
    import pandas as pd

    from nas.training.recipe import Recipe

__all__ = ["network_frame", "repeat_db", "score", "searched_curves"]


def network_frame(records: Sequence[TrialRecord]) -> pd.DataFrame:
    """A row a network: hash, prices, and its settings."""
    import pandas as pd

    return pd.DataFrame(
        {
            "hash": record.architecture_hash,
            **{name: getattr(record, name) for name in COSTS},
            **described(record.architecture),
        }
        for record in records
    )


def score(networks: pd.DataFrame, folder: AuditFolder, seed: int) -> pd.DataFrame:
    """The networks with their zero-cost scores of a seed, where they have any."""
    import pandas as pd

    scores = pd.DataFrame([folder.scores(Training(name, seed)) for name in networks["hash"]])
    return networks.join(scores)


def searched_curves(records: Sequence[TrialRecord], recipe: Recipe) -> pd.DataFrame:
    """What the search itself measured, with the proxy's seed."""
    import pandas as pd

    rows = []
    for record in records:
        values = {rung.step: rung.psnr_y_db for rung in record.rungs}
        if record.state == FINISHED and record.psnr_y_db is not None:
            values[recipe.steps] = record.psnr_y_db
        rows += [(record.architecture_hash, recipe.seed, s, value) for s, value in values.items()]
    return pd.DataFrame(rows, columns=["hash", "seed", "step", "psnr_y_db"])


def repeat_db(searched: pd.DataFrame, trainings: pd.DataFrame) -> float:
    """The largest difference between what the search measured and its repetition, dB."""
    both = searched.merge(trainings, on=["hash", "seed", "step"], suffixes=("", "_again"))
    return float((both["psnr_y_db"] - both["psnr_y_db_again"]).abs().max())
