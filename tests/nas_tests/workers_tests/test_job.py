"""What a worker is told."""

from __future__ import annotations

from nas.workers.job import WorkerJob


def test_comes_through_a_pipe_as_it_was() -> None:
    job = WorkerJob("sqlite:///a.db", "study", imports=("parts.py",), timeout_s=5.0)
    assert WorkerJob.from_json(job.to_json()) == job


def test_who_starts_later_has_less_time_left() -> None:
    job = WorkerJob("sqlite:///a.db", "study", timeout_s=5.0)
    assert job.after(2.0).timeout_s == 3.0
    # A limit of 0 is refused.
    assert job.after(9.0).timeout_s == 1e-3
    unlimited = WorkerJob("sqlite:///a.db", "study")
    assert unlimited.after(9.0) == unlimited
