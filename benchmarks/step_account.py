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

    A training that goes on must begin right after the last checkpoint. The trainer saves a step
    before it tells of it, and the death of a worker may come in between: then that one step is
    trained and saved, and neither stands in the log.
    """
    account = Account()
    saved: dict[str, int] = defaultdict(int)
    saved_before: dict[tuple[str, str, int], int] = {}
    furthest: dict[str, int] = defaultdict(int)
    last: dict[str, tuple[str, int]] = {}
    for line in log.read_text().splitlines():
        kind, network, number, process, _ = line.split()
        step = int(number)
        if kind == "saved":
            saved_before.setdefault((network, process, step), saved[network])
            saved[network] = max(saved[network], step)
            continue
        account.steps += 1
        if last.get(network) != (process, step - 1):
            checkpoint = saved_before.get((network, process, step), saved[network])
            known = max(furthest[network], saved[network])
            if not checkpoint < step <= known + 2:
                account.faults.append(
                    f"{network}: went on at step {step}, its checkpoint was of {checkpoint}, it "
                    f"had come to {known}"
                )
            if network in last:
                account.resumed += 1
                account.from_checkpoint += step > 1
        last[network] = (process, step)
        furthest[network] = max(furthest[network], step)
    account.needed = sum(max(furthest[network], saved[network]) for network in furthest)
    return account
