"""Run folders read again, in any state."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from optuna.exceptions import StorageInternalError

import nas
from nas.noise import Noise, noise_of, write_noise
from nas.records import INTERRUPTED, RUNNING, TrialRecord
from nas.run import Run
from nas.tables import rewrite_tables, sweep_weights, write_tables
from search_spaces import load
from search_spaces.errors import InputError, StoreError
from search_spaces.yaml_file import to_yaml
from tests.nas_tests.conftest import Finished


@pytest.fixture
def copied(finished: Finished, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may spoil."""
    return Path(shutil.copytree(finished.folder, tmp_path / "run"))


class TestTrial:
    def test_best_and_numbers(self, finished: Finished) -> None:
        run = nas.open_run(finished.folder)
        best = run.trial("best")
        frame = run.finished()
        assert best.psnr_y_db == frame["psnr_y_db"].max()
        assert run.trial(str(best.number)) == best

    def test_unknown_number_lists_the_known(self, finished: Finished) -> None:
        with pytest.raises(InputError, match=r"no trial '99'; expected best or one of 0, 1, 2"):
            nas.open_run(finished.folder).trial("99")

    def test_weights_of_the_front_are_kept(self, finished: Finished) -> None:
        run = nas.open_run(finished.folder)
        kept = {int(path.stem) for path in (finished.folder / "weights").iterdir()}
        assert kept == set(run.front()["number"])


class TestOpening:
    def test_by_text_or_path(self, finished: Finished) -> None:
        by_text, by_path = nas.open_run(str(finished.folder)), nas.open_run(finished.folder)
        assert by_text == by_path
        assert by_text.budgets == {"params": 30_000.0}
        assert by_text.objectives == ("psnr", "params")

    def test_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no run is there"):
            nas.open_run(tmp_path)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("study: [", r"run\.yaml:\d+: "),
            ("5", "expected a YAML mapping"),
            ("study: run\nstorage: null\n", "missing key 'schema_version'"),
            ("schema_version: 2\n", "schema_version: expected 1, got 2"),
            ("schema_version: true\n", "schema_version: expected 1, got True"),
        ],
    )
    def test_damaged_run_yaml(self, text: str, told: str, copied: Path) -> None:
        (copied / "run.yaml").write_text(text)
        with pytest.raises(InputError, match=told):
            nas.open_run(copied)

    @pytest.mark.parametrize(
        ("key", "value", "told"),
        [
            ("study", 5, "study: expected a valid string, got 5"),
            ("identity", 3, "identity: expected an object, got 3"),
            ("identity", {}, "missing key 'identity.space'"),
            ("identity.objectives", 7, "identity.objectives: expected a valid array, got 7"),
            ("identity.objectives", ["beauty"], "identity.objectives: .* got 'beauty'"),
            ("identity.objectives", [], "identity.objectives: "),
            ("identity.budgets", [1], r"identity.budgets: expected an object, got \[1\]"),
            ("identity.budgets", {"params": "few"}, "identity.budgets.params: .* got 'few'"),
            ("identity.budgets", {"params": -5.0}, "identity.budgets.params: expected more than 0"),
            ("identity.budgets", {"beauty": 1.0}, "identity.budgets: .* got 'beauty'"),
            ("identity.scale", 9, "identity.scale: expected 1, 2, 3 or 4, got 9"),
            ("identity.hr", [720], "identity.hr"),
            ("identity.recipe", "fast", "identity.recipe: expected an object"),
            ("photos", [], "photos: expected an object"),
            ("photos.validation", "all", "photos.validation: expected a valid array"),
            ("bicubic", 29.4, "bicubic: expected an object"),
            ("prefer", "dearer", "run.yaml: prefer: expected .*, got 'dearer'"),
            ("noise_db", -1.0, "noise_db: "),
            ("noise_db", float("nan"), "noise_db: expected a finite number, got nan"),
        ],
    )
    def test_values_of_another_type_in_run_yaml(
        self, key: str, value: object, told: str, copied: Path
    ) -> None:
        path = copied / "run.yaml"
        about = yaml.safe_load(path.read_text())
        *outer, last = key.split(".")
        place = about[outer[0]] if outer else about
        place[last] = value
        path.write_text(yaml.safe_dump(about))
        with pytest.raises(InputError, match=told) as caught:
            nas.open_run(copied)
        assert str(path) in str(caught.value)

    def test_a_directory_in_its_place(self, copied: Path) -> None:
        (copied / "run.yaml").unlink()
        (copied / "run.yaml").mkdir()
        with pytest.raises(InputError, match="no run is there"):
            nas.open_run(copied)

    def test_missing_study_is_not_made(self, copied: Path) -> None:
        (copied / "study.db").unlink()
        with pytest.raises(StoreError, match=r"study\.db is not there"):
            nas.open_run(copied).records()
        assert not (copied / "study.db").exists()

    def test_damaged_study(self, copied: Path) -> None:
        (copied / "study.db").write_bytes(b"nothing that SQLite knows" * 100)
        with pytest.raises(StoreError, match="file is not a database"):
            nas.open_run(copied).records()

    def test_another_study_in_the_store(self, copied: Path) -> None:
        about = yaml.safe_load((copied / "run.yaml").read_text())
        (copied / "run.yaml").write_text(yaml.safe_dump({**about, "study": "other"}))
        with pytest.raises(StoreError, match="its study is gone"):
            nas.open_run(copied).records()

    def test_an_empty_store_stays_empty(self, copied: Path) -> None:
        (copied / "study.db").write_bytes(b"")
        with pytest.raises(StoreError, match=r"study\.db is empty"):
            nas.open_run(copied).records()
        assert (copied / "study.db").read_bytes() == b""

    @pytest.mark.parametrize(
        ("statement", "told"),
        [
            ("UPDATE trial_user_attributes SET value_json='many' WHERE key='params'",
             "its study is damaged: "),
            ("UPDATE trial_user_attributes SET value_json='\"many\"' WHERE key='params'",
             "trial 0: params: expected a valid integer, got 'many'"),
            ("UPDATE trial_user_attributes SET value_json='NaN' WHERE key='psnr_y_db'",
             "trial 0: psnr_y_db: expected a finite number, got nan"),
            ("UPDATE trial_user_attributes SET value_json='[7]' WHERE key='rungs'",
             "trial 0: rungs.0: expected an object, got 7"),
            ("UPDATE trial_user_attributes SET value_json='5' WHERE key='made_with'",
             "trial 0: made_with: expected an object, got 5"),
            ("UPDATE trials SET state='DONE'", "its study is damaged: "),
            (f"UPDATE trial_user_attributes SET value_json='{'[' * 5000}{']' * 5000}'",
             "its study is damaged: maximum recursion depth"),
            ("UPDATE trial_params SET distribution_json='{}'", "its study is damaged: "),
            ("DROP TABLE trial_params", "no such table: trial_params"),
            ("DROP TABLE version_info", "no such table: version_info"),
            ("DROP TABLE studies", "no such table: studies"),
        ],
    )  # fmt: skip
    def test_damaged_rows(self, statement: str, told: str, copied: Path) -> None:
        with sqlite3.connect(copied / "study.db") as database:
            database.execute(statement)
        database.close()
        before = (copied / "study.db").read_bytes()
        with pytest.raises(StoreError, match=told) as caught:
            nas.open_run(copied).records()
        assert "\n" not in str(caught.value)
        assert str(caught.value).count("go back to a copy of it") <= 1
        assert (copied / "study.db").read_bytes() == before

    def test_what_reads_cannot_write(self, copied: Path) -> None:
        study = nas.open_run(copied).opened_study()
        with pytest.raises(StorageInternalError):
            study.set_user_attr("mine", 1)
        assert "mine" not in nas.open_run(copied).opened_study().user_attrs


class TestStoresElsewhere:
    """A run folder may come from somebody else."""

    @pytest.fixture
    def elsewhere(self, copied: Path, tmp_path: Path) -> str:
        """The URL of its store, which has gone out of the folder."""
        place = tmp_path / "elsewhere"
        place.mkdir()
        (copied / "study.db").rename(place / "study.db")
        url = f"sqlite:///{place / 'study.db'}"
        about = yaml.safe_load((copied / "run.yaml").read_text())
        (copied / "run.yaml").write_text(yaml.safe_dump({**about, "storage": url}))
        return url

    def test_they_are_not_followed(self, elsewhere: str, copied: Path) -> None:
        with pytest.raises(InputError, match=r"outside of the folder, in sqlite.*--storage URL"):
            nas.open_run(copied)

    def test_they_are_opened_when_named(
        self, elsewhere: str, copied: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert len(nas.open_run(copied, storage=elsewhere).finished()) == 4
        monkeypatch.setenv("NAS_STORAGE", elsewhere)
        assert len(nas.open_run(copied).finished()) == 4

    def test_none_is_made(self, copied: Path, tmp_path: Path) -> None:
        victim = tmp_path / "new.db"
        with pytest.raises(InputError, match=r"new\.db is not there"):
            nas.open_run(copied, storage=f"sqlite:///{victim}").records()
        assert not victim.exists()

    def test_a_foreign_database_gets_no_tables(self, copied: Path, tmp_path: Path) -> None:
        victim = tmp_path / "foreign.db"
        with sqlite3.connect(victim) as database:
            database.execute("CREATE TABLE photos (name TEXT)")
        database.close()
        before = victim.read_bytes()
        with pytest.raises(InputError, match="no such table"):
            nas.open_run(copied, storage=f"sqlite:///{victim}").records()
        assert victim.read_bytes() == before

    def test_a_url_inside_the_folder_is_followed(self, copied: Path) -> None:
        (copied / "study.db").rename(copied / "other.db")
        about = yaml.safe_load((copied / "run.yaml").read_text())
        url = f"sqlite:///{copied / 'other.db'}"
        (copied / "run.yaml").write_text(yaml.safe_dump({**about, "storage": url}))
        assert len(nas.open_run(copied).finished()) == 4


class TestMoved:
    def test_a_moved_folder_still_opens(self, copied: Path) -> None:
        assert len(nas.open_run(copied).finished()) == 4


class TestTables:
    def test_weights_that_another_worker_just_wrote_stay(self, copied: Path) -> None:
        run = nas.open_run(copied)
        records = run.records()
        new = TrialRecord(len(records), RUNNING)
        later = TrialRecord(len(records) + 1, RUNNING)
        for record in (new, later):
            run.weights(record).write_bytes(b"weights")
        sweep_weights(run, [*records, new])
        assert run.weights(new).exists()
        assert run.weights(later).exists()
        sweep_weights(run, [*records, replace(new, state=INTERRUPTED)])
        assert not run.weights(new).exists()

    def test_weights_of_a_best_that_is_dominated_by_a_tie_stay(self, copied: Path) -> None:
        run = nas.open_run(copied)
        best = run.best()
        assert best is not None
        assert best.params is not None
        run = Run(run.folder, {**run.about, "identity": {**run.about["identity"],
                  "objectives": ["psnr", "macs"]}}, run.storage)  # fmt: skip
        lighter = replace(best, number=90, params=best.params + 1, macs=1, architecture_hash="a")
        write_tables(run, [*run.records(), lighter])
        sweep_weights(run, [*run.records(), lighter])
        assert run.weights(best).exists()
        with (copied / "front.csv").open() as file:
            assert [line.split(",")[0] for line in file] == ["number", "90"]

    def test_records_that_lost_some_are_not_written(self, copied: Path) -> None:
        run = nas.open_run(copied)
        before = {p.name: p.read_bytes() for p in copied.iterdir() if p.is_file()}
        lost, *others = run.records()
        for records in (others, [replace(lost, state=INTERRUPTED), *others]):
            with pytest.raises(
                InputError, match=r"trials\.csv lists 1 finished trials that its st"
            ):
                write_tables(run, records)
        assert {p.name: p.read_bytes() for p in copied.iterdir() if p.is_file()} == before

    def test_a_search_may_end_a_trial_while_its_run_is_reported(
        self, copied: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run, real = nas.open_run(copied), Run.records

        def later(self: Run) -> list[TrialRecord]:
            known = real(self)
            write_tables(self, [*known, replace(known[0], number=90)])
            return known

        monkeypatch.setattr(Run, "records", later)
        rewrite_tables(run)
        assert len((copied / "trials.csv").read_text().splitlines()) == 1 + len(real(run))
        (copied / "trials.csv").write_text("number,state\n91,finished\n")
        monkeypatch.undo()
        with pytest.raises(InputError, match="lists 1 finished trials"):
            rewrite_tables(run)

    @pytest.mark.parametrize("text", ["scale: 4\nchannels: 99\n", "{half a li"])
    def test_a_best_that_somebody_changed_is_not_overwritten(self, copied: Path, text: str) -> None:
        run = nas.open_run(copied)
        (copied / "best.yaml").write_text(text)
        before = {p.name: p.read_bytes() for p in copied.iterdir() if p.is_file()}
        with pytest.raises(InputError, match=r"best\.yaml is none of this run's networks, and is"):
            rewrite_tables(run)
        assert {p.name: p.read_bytes() for p in copied.iterdir() if p.is_file()} == before
        (copied / "best.yaml").unlink()
        rewrite_tables(run)
        rewrite_tables(run)

    def test_the_best_follows_the_preference(self, copied: Path) -> None:
        run = nas.open_run(copied)
        records = run.records()
        highest = run.best()
        assert highest is not None
        noisy = Run(run.folder, {**run.about, "noise_db": 9.0}, run.storage)
        assert noisy.best() == highest
        cheap = noisy.preferring("cheaper", keep=True)
        assert cheap.best() == min(records, key=lambda r: r.params or 0)
        assert yaml.safe_load((copied / "run.yaml").read_text())["prefer"] == "cheaper"
        for one in (cheap, noisy):
            write_tables(one, records)
            best = one.best()
            assert best is not None
            found = load(copied / "best.safetensors")
            assert found.architecture.hash == best.architecture_hash
            assert (copied / "best.yaml").read_text() == to_yaml(dict(best.architecture))
        with pytest.raises(InputError, match="prefer: expected better or cheaper"):
            noisy.preferring("neither")

    def test_the_preferred_leads(self, copied: Path) -> None:
        run = nas.open_run(copied)
        assert run.leaders(9) == run.front_records()
        cheap = Run(run.folder, {**run.about, "noise_db": 9.0, "prefer": "cheaper"}, run.storage)
        best = cheap.best()
        assert best is not None
        assert cheap.leaders(1) == (best,)
        led = {record.number for record in cheap.leaders(9)}
        assert led == {record.number for record in (best, *run.front_records())}

    def test_finalists_are_the_front_and_then_others_by_their_psnr(self, copied: Path) -> None:
        run = nas.open_run(copied)
        first, every = run.front_records(), run.finalists(9)
        assert every[: len(first)] == first
        assert {r.number for r in every} == set(run.finished()["number"])
        rest = [r.psnr_y_db or 0.0 for r in every[len(first) :]]
        assert rest == sorted(rest, reverse=True)
        assert run.finalists(1) == first[:1]

    def test_noise_is_as_given_or_measured_or_known(self, copied: Path) -> None:
        run = nas.open_run(copied)
        assert run.noise == run.known_noise == noise_of("smoke", 12)
        write_noise(copied, Noise(0.01, 0.001, 0.1, "an audit"))
        assert run.noise == Noise(0.01, 0.001, 0.1, "an audit")
        assert run.choice.noise_db == 0.01
        given = Run(run.folder, {**run.about, "noise_db": 0.5}, run.storage)
        assert given.noise.psnr_db == 0.5

    def test_weights_that_are_gone_do_not_leave_those_of_another(self, copied: Path) -> None:
        run = nas.open_run(copied)
        best = run.best()
        assert best is not None
        better = replace(best, number=90, psnr_y_db=99.0, architecture={"schema_version": 1})
        write_tables(run, [*run.records(), better])
        assert not (copied / "best.safetensors").exists()

    def test_nothing_finished_leaves_tables_without_rows(self, tmp_path: Path) -> None:
        about = {"study": "s", "storage": None, "identity": {"objectives": ["psnr"], "budgets": {}}}
        run = Run(tmp_path, about, "")
        write_tables(run, [TrialRecord(0, RUNNING)])
        assert (tmp_path / "front.csv").read_text().count("\n") == 1
        assert not (tmp_path / "best.yaml").exists()
