"""Which networks a search of made-up ones proposes, stops, promotes and revives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.explore.events import (
    Event,
    SearchEnded,
    TrialEnded,
    TrialPromoted,
    TrialStarted,
)
from nas.records import (
    DUPLICATE,
    FAILED,
    FINISHED,
    REJECTED,
    RUNNING,
    STOPPED,
    Rung,
)
from nas.run import Run
from search_spaces import Architecture
from tests.nas_tests.explore_tests.made_up import MadeUp, kept, networks, recorded, study_of, told

STEPS = (1, 4, 12)


def has_attention(architecture: Mapping[str, Any]) -> bool:
    return architecture["blocks"][0].get("attention") is not None


class FondOfAttention(MadeUp):
    """Networks with attention are worth a decibel more."""

    def advance(self, architecture: Architecture, until_step: int, **more: Any) -> Rung:
        rung = super().advance(architecture, until_step, **more)
        gain_db = float(has_attention(architecture.to_dict()))
        return Rung(rung.step, rung.psnr_y_db + gain_db, rung.ssim_y, rung.seconds)


class TestDecisions:
    @pytest.fixture(scope="class")
    @classmethod
    def many(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, MadeUp]:
        """A search of forty networks; read only."""
        trainer = MadeUp()
        return recorded(tmp_path_factory.mktemp("many"), 40, trainer), trainer

    def test_no_step_is_trained_twice_and_most_stop_early(self, many: tuple[Run, MadeUp]) -> None:
        run, trainer = many
        assert len(trainer.advanced) == len(set(trainer.advanced))
        by_step = Counter(step for _, step in trainer.advanced)
        assert by_step[1] == len(networks(run)) == 40
        # Near-ties and those on the front at the end included, eta bounds what goes on.
        assert 40 // 3 <= by_step[4] <= 20 + 2
        assert by_step[4] // 3 <= by_step[12] <= by_step[4]
        assert sorted(trainer.saved) == sorted(
            r.architecture_hash for r in networks(run) if r.state == FINISHED
        )

    def test_the_best_of_all_finish(self, many: tuple[Run, MadeUp]) -> None:
        run, _ = many
        worth = {r.number: r.rungs[0].psnr_y_db for r in networks(run)}
        winner = max(worth, key=lambda number: worth[number])
        assert winner in {r.number for r in networks(run) if r.state == FINISHED}

    def test_no_network_is_proposed_twice(self, many: tuple[Run, MadeUp]) -> None:
        run, _ = many
        names = [r.architecture_hash for r in networks(run) if r.state in (FINISHED, STOPPED)]
        assert len(names) == len(set(names)) == 40

    def test_without_early_stopping_all_finish(self, tmp_path: Path) -> None:
        run = recorded(tmp_path, 6, early_stop=False)
        assert [r.state for r in run.records()] == [FINISHED] * 6
        assert all([rung.step for rung in r.rungs] == [12] for r in run.records())

    @pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
    def test_same_seed_same_search(self, sampler: str, tmp_path: Path) -> None:
        one, two = (
            recorded(tmp_path / name, 14, sampler=sampler, storage=storage)
            for name, storage in (("one", None), ("two", "memory"))
        )
        assert told(one.records()) == told(two.records())
        other = recorded(tmp_path / "other", 2, sampler=sampler, seed=1)
        assert told(other.records())[0][0] != told(one.records())[0][0]

    @pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
    def test_interruptions_anywhere_change_nothing(self, sampler: str, tmp_path: Path) -> None:
        whole = recorded(tmp_path / "whole", 10, sampler=sampler)
        run, advanced, died = None, list[tuple[str, int]](), 0
        while run is None:
            trainer = MadeUp(die_at=3)
            try:
                run = kept(tmp_path / "parts", 10, trainer, sampler=sampler)
            except KeyboardInterrupt:
                died += 1
                states = {t.state.name for t in study_of(nas.open_run(tmp_path / "parts")).trials}
                assert "RUNNING" not in states
            advanced += trainer.advanced
        assert died > 3
        assert len(advanced) == len(set(advanced))
        assert told(networks(run)) == told(networks(whole))

    def test_a_later_start_revives_what_was_stopped(self, tmp_path: Path) -> None:
        first = kept(tmp_path, 7)
        before = {r.architecture_hash: r for r in networks(first)}
        trainer = MadeUp()
        run = kept(tmp_path, 18, trainer)
        after = {r.architecture_hash: r for r in networks(run)}
        assert len(after) == 18
        revived = [n for n, r in before.items() if len(after[n].rungs) > len(r.rungs)]
        assert revived
        for name in revived:
            reached = [step for n, step in trainer.advanced if n == name]
            assert min(reached) > before[name].rungs[-1].step

    def test_one_that_diverges_at_a_later_rung_fails(self, tmp_path: Path) -> None:
        run = recorded(tmp_path, 12, MadeUp(broken=(1, 9)))
        failed = [r for r in networks(run) if r.state == FAILED]
        assert len(failed) == 2
        assert len(networks(run)) == 12
        assert {r.reason for r in failed} == {"diverged: the loss is nan at step 3"}

    @pytest.mark.parametrize("candidates", [1, 4])
    def test_a_sampler_with_favourites_does_not_end_the_search(
        self, candidates: int, tmp_path: Path
    ) -> None:
        run = recorded(tmp_path, 45, sampler="tpe", rungs=1, candidates=candidates)
        records = run.records()
        assert len(networks(run)) == 45
        assert sum(r.state == REJECTED for r in records) <= 3

    def test_candidates_are_chosen_by_what_has_proved_good(self, tmp_path: Path) -> None:
        good = {}
        for candidates in (1, 8):
            run = recorded(
                tmp_path / str(candidates), 40, FondOfAttention(), rungs=1, candidates=candidates
            )
            later = networks(run)[15:]
            good[candidates] = sum(has_attention(r.architecture) for r in later) / len(later)
        assert good[8] > good[1] + 0.15

    @pytest.fixture(scope="class")
    @classmethod
    def few(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[Event]]:
        """A search of twelve networks, and what it told; read only."""
        events: list[Event] = []
        return recorded(tmp_path_factory.mktemp("few"), 12, events=events), events

    def test_events_tell_the_story(self, few: tuple[Run, list[Event]]) -> None:
        run, events = few
        kinds = Counter(type(event).__name__ for event in events)
        assert kinds["TrialStarted"] == kinds["TrialEnded"]
        ends = [e for e in events if isinstance(e, TrialEnded)]
        paused = [e for e in ends if e.record.state == STOPPED]
        # Each step up was told of, by a trial of its own or within one.
        until = [e.until for e in events if isinstance(e, TrialStarted | TrialPromoted)]
        assert len(until) == sum(len(r.rungs) for r in networks(run))
        assert set(until) <= set(STEPS)
        last, ended = events[-1], [e for e in ends if e not in paused]
        assert last == SearchEnded("goal reached", 12, 12)
        assert ended[-1].stopped <= 12 - len(ended)
        assert paused[-1].trained <= 12

    def test_checkpoints_beyond_the_limit_go_the_worst_first(self, tmp_path: Path) -> None:
        trainer = MadeUp()
        run = recorded(tmp_path, 30, trainer, checkpoints_mb=2.0)
        gone = {path.stem for path in trainer.forgotten}
        stopped = [r for r in networks(run) if r.state == STOPPED]
        kept = [r for r in stopped if r.architecture_hash not in gone]
        assert kept
        assert len(kept) < len(stopped)
        assert sum((r.params or 0) * 16 for r in kept) <= 2e6

    def test_an_exhausted_space_still_brings_its_best_to_the_end(self, tmp_path: Path) -> None:
        from search_spaces import Space

        few = Space.from_dict(
            {
                "name": "few",
                "dimensions": {"channels": {"fill": {"low": 8, "high": 12}}},
                "architecture": {
                    "channels": "$channels",
                    "blocks": [{"kind": "distillation", "stages": 2, "distillation": "none"}],
                },
            }
        )
        events: list[Event] = []
        run = recorded(tmp_path, 9, events=events, space=few)
        last = events[-1]
        assert isinstance(last, SearchEnded)
        assert "exhausted" in last.reason
        assert last.trained == len(networks(run)) < 9
        assert {r.reason for r in run.records() if r.state == REJECTED} == {DUPLICATE}
        assert Counter(r.state for r in networks(run))[FINISHED] >= 1
        assert RUNNING not in {r.state for r in run.records()}

    def test_the_tables_show_the_rungs(self, few: tuple[Run, list[Event]]) -> None:
        import pandas as pd

        run, _ = few
        frame = pd.read_csv(run.folder / "trials.csv")
        assert len(frame) == len(run.records())
        stopped = frame[frame["state"] == STOPPED]
        assert set(stopped["rung_step"]) <= {1.0, 4.0}
        assert stopped["rung_psnr_y_db"].notna().all()
        assert (frame[frame["state"] == FINISHED]["rung_step"] == 12).all()
