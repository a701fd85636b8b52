"""What the sampler sees of a search."""

from __future__ import annotations

from pathlib import Path

from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from nas.explore.sampler_view import estimates, sampler_view
from nas.store.ledger import Ledger
from tests.nas_tests.explore_tests.made_up import kept, networks, study_of


def test_no_past_trial_is_taken_for_the_one_to_be_made_out(tmp_path: Path) -> None:
    run = kept(tmp_path, 6)
    study = study_of(run)
    entries = Ledger(study).read().entries
    values = estimates([entry.record for entry in entries], ("psnr", "params"), (1, 4, 12))
    view = sampler_view(study.directions, entries, values, RandomSampler(seed=0))
    past = view.get_trials()
    asked = [view.ask(), view.ask()]
    assert len(past) == len(networks(run)) == 6
    assert {trial.state for trial in past} == {TrialState.COMPLETE}
    numbers = [trial.number for trial in view.get_trials()]
    assert len(set(numbers)) == len(numbers)
    assert numbers[-2:] == [trial.number for trial in asked]
    # Negative ones would be known to NSGA and GP, which remember how far they have read.
    assert min(numbers) >= 0
