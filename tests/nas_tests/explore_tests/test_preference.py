"""The best network by another preference: whose weights are there whenever it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nas.choice import Choice
from nas.explore.study_settings import settings_of
from search_spaces import Architecture
from tests.nas_tests.explore_tests.made_up import MadeUp, kept, study_of


class Writing(MadeUp):
    """Leaves the network's hash where its weights would be."""

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        super().save_weights(architecture, checkpoint, path)
        path.parent.mkdir(exist_ok=True)
        path.write_text(architecture.hash)


# Quality against another quality has no price on its front.
@pytest.mark.parametrize("objectives", ["psnr,params", "psnr,ssim"])
def test_weights_of_the_preferred_are_there_however_often_it_changes(
    objectives: str, tmp_path: Path
) -> None:
    seen = set()
    # The networks of the made-up table differ by 0.2 dB and more.
    for trials, prefer, noise_db in (
        (4, "better", 0.1), (6, "cheaper", 0.1), (9, "cheaper", 0.3), (9, "better", 0.3),
        (9, "cheaper", 0.02),
    ):  # fmt: skip
        run = kept(
            tmp_path / "run", trials, Writing(), rungs=1, objectives=objectives,
            prefer=prefer, noise_db=noise_db,
        )  # fmt: skip
        best = run.best()
        assert best is not None
        choice = Choice.of(run.objectives, run.budgets, prefer, noise_db)
        assert best == choice.best(run.records())
        assert (run.folder / "best.safetensors").read_text() == best.architecture_hash
        written = yaml.safe_load((run.folder / "best.yaml").read_text())
        assert Architecture.from_dict(written).hash == best.architecture_hash
        seen.add(best.architecture_hash)
    assert len(seen) > 1


def test_a_run_keeps_to_its_preference_and_so_do_its_workers(tmp_path: Path) -> None:
    first = kept(tmp_path / "run", 2, prefer="cheaper", noise_db=0.25)
    assert (first.about["prefer"], first.about["noise_db"]) == ("cheaper", 0.25)
    again = kept(tmp_path / "run", 3)
    assert (again.about["prefer"], again.about["noise_db"]) == ("cheaper", None)
    there = settings_of(study_of(again))
    assert there.prefer == "cheaper"
    assert there.noise == again.known_noise
    assert kept(tmp_path / "run", 3, prefer="better").about["prefer"] == "better"
