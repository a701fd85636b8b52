"""What a log of ``benchmarks.step_log`` says: was anything trained twice, was anything lost?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Account", "read_account"]


@dataclass
class Account:
    """The steps of all networks.

    Attributes:
        steps: trained in all, repeated ones counted again.
        needed: different ones.
        resumed: trainings that went on after an interruption.
        from_checkpoint: those of them that did not begin at the start.
        faults: one line for each step that was repeated without need, or left out.
    """

    steps: int = 0
    needed: int = 0
    resumed: int = 0
    from_checkpoint: int = 0
    faults: list[str] = field(default_factory=list)


def read_account(log: Path) -> Account:
    """Follows every network through the log.

    A training that goes on must begin right after the last checkpoint; the death of a worker
    may come between a checkpoint and its line, so a later step that was trained is as good.
    """
    account = Account()
    last: dict[str, int] = defaultdict(int)
    saved: dict[str, int] = defaultdict(int)
    furthest: dict[str, int] = defaultdict(int)
    worker: dict[str, str] = {}
    for line in log.read_text().splitlines():
        kind, network, number, process, _ = line.split()
        step = int(number)
        if kind == "saved":
            saved[network] = max(saved[network], step)
            continue
        account.steps += 1
        goes_on = worker.get(network) == process and step == last[network] + 1
        if not goes_on:
            if not saved[network] < step <= furthest[network] + 1:
                account.faults.append(
                    f"{network}: went on at step {step}, its checkpoint was of "
                    f"{saved[network]}, it had come to {furthest[network]}"
                )
            if network in worker:
                account.resumed += 1
                account.from_checkpoint += step > 1
        worker[network], last[network] = process, step
        furthest[network] = max(furthest[network], step)
    account.needed = sum(furthest.values())
    return account
