"""The recorded table, read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from benchmarks.table.contents import FOLDER, RECIPE
from nas.predictor import ZERO_COST, described
from nas.records import Rung

__all__ = ["Table", "load_table", "read_table", "with_settings"]


_FIGURES = ("params", "macs", "activations", "latency_ms", *ZERO_COST)


@dataclass(frozen=True)
class Table:
    """Every network of the space with its prices, and what its trainings came to.

    Attributes:
        networks: a row a network: ``hash``, ``band`` (parameters; 0 for the grid), its point
            in the grid's space (``family``, ``attention``, ``stages``, ``blocks``,
            ``channels``; empty in bands), ``architecture`` as JSON, ``params``, ``macs`` and
            ``activations`` (1280x720 output) and, where it was timed, ``latency_ms`` and
            ``latency_min_ms`` (160x90 input, one thread).
        trainings: a row a rung of a training: ``hash``, ``seed``, ``step``, ``psnr_y_db``,
            ``ssim_y`` (both empty where it diverged), ``seconds`` of training until then,
            ``wall_seconds`` with validation, and ``rate_factor``, 0.5 where the training had to
            be begun again with smaller steps.
    """

    networks: pd.DataFrame
    trainings: pd.DataFrame

    @cached_property
    def rungs(self) -> Mapping[tuple[str, int, int], Rung]:
        """By hash, seed and step; a diverged training's later rungs are missing."""
        known = self.trainings.dropna(subset=["psnr_y_db"])
        columns = ("hash", "seed", "step", "psnr_y_db", "ssim_y", "seconds")
        rows = zip(*(known[column].tolist() for column in columns), strict=True)
        return {
            (name, seed, step): Rung(step, psnr_y_db, ssim_y, seconds)
            for name, seed, step, psnr_y_db, ssim_y, seconds in rows
        }

    @cached_property
    def final(self) -> pd.DataFrame:
        """The grid's networks with ``psnr_y_db`` and ``ssim_y`` at the recipe's end, seed 0."""
        end = self.trainings.query(f"seed == 0 and step == {RECIPE.steps}")
        return self.networks.query("band == 0").merge(
            end[["hash", "psnr_y_db", "ssim_y"]], on="hash"
        )


def load_table() -> Table:
    """The table that comes with the project."""
    return Table(*(read_table(FOLDER / f"{name}.csv.gz") for name in ("networks", "trainings")))


def read_table(path: Path) -> pd.DataFrame:
    """A CSV file of which some rows begin with a hash."""
    # 6791952e04591443 would be read as a number that is infinite.
    return pd.read_csv(path, dtype={"hash": str})


def with_settings(networks: pd.DataFrame) -> pd.DataFrame:
    """The networks with their settings in place of the architecture and the grid's point."""
    told = [described(json.loads(text)) for text in networks["architecture"]]
    figures = [name for name in networks if name in ("hash", *_FIGURES)]
    return pd.concat([networks[figures], pd.DataFrame(told, index=networks.index)], axis=1)
