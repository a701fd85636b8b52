"""What the templates are filled with: one run in sections, headlines, charts and tables."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

from nas.objectives import OBJECTIVES
from nas.pareto import front
from nas.records import FINISHED, TrialRecord
from reports.account import RunAccount
from reports.alike import alike
from reports.html.chart import Chart
from reports.html.trial_facts import trial_facts
from reports.outcome import summary_rows
from reports.plots.savings import savings_info
from reports.plots.table import SECTIONS, known, plots_of_run
from reports.tables import TrialTable, front_table, trial_table

__all__ = ["Headline", "PageTable", "RunView", "Section", "run_view"]


class Headline(NamedTuple):
    """A figure in large print, what it is, and a word beside it."""

    figure: str
    what: str
    beside: str = ""


class PageTable(NamedTuple):
    """A table with a state a row; ``numbers`` are the rows' trials."""

    key: str
    table: TrialTable
    numbers: tuple[int, ...]
    states: tuple[str, ...]


class Section(NamedTuple):
    """A part of a run with its charts; what else it shows, the template knows by its key."""

    key: str
    title: str
    charts: tuple[Chart, ...] = ()


class RunView(NamedTuple):
    """One run as the template shows it."""

    key: str
    account: RunAccount
    headlines: tuple[Headline, ...]
    outcome: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    tables: tuple[PageTable, ...]
    pictures: tuple[dict[str, Any], ...]

    def data(self) -> dict[str, Any]:
        """What the page's scripts need of the run, ready for JSON."""
        summary = self.account.summary
        return {
            "trials": {str(r.number): trial_facts(r, summary) for r in self.account.records},
            "charts": {c.key: c.plain() for s in self.sections for c in s.charts},
        }


def run_view(account: RunAccount, key: str) -> RunView:
    """One run as the template shows it; sections that have nothing to show are left out."""
    return RunView(
        key,
        account,
        tuple(_headlines(account)),
        summary_rows(account.records, account.summary),
        tuple(_sections(account)),
        tuple(_tables(account)),
        tuple(_pictures(account)),
    )


def _headlines(account: RunAccount) -> Iterator[Headline]:
    records, summary = account.records, account.summary
    top = summary.choice.best(records)
    if top is not None and top.psnr_y_db is not None:
        beside = f"trial {top.number}"
        if summary.bicubic_psnr_y_db is not None:
            gain = top.psnr_y_db - summary.bicubic_psnr_y_db
            beside += f", {gain:+.2f} dB against {summary.baseline}"
        yield Headline(f"{top.psnr_y_db:.3f} dB", "best PSNR-Y", beside)
        for name in ("params", "macs", "latency", "esr_score"):
            one = OBJECTIVES[name]
            value = one.value(top)
            if value is not None:
                limit = summary.budgets.get(one.attribute)
                within = "" if limit is None else f"budget {one.limit_text(limit)}"
                yield Headline(one.text(value), f"its {one.label.lower()}", within)
    for other in alike(records, summary):
        noise = "within the noise of seeds" if other.within else "little beyond the noise of seeds"
        yield Headline(
            f"trial {other.other.number}", other.of_price(), f"{other.ahead_db:+.3f} dB, {noise}"
        )
    on_front = len(front(records, summary.weighed))
    finished = sum(record.state == FINISHED for record in records)
    yield Headline(str(on_front), "networks on the front", f"of {finished} finished")
    savings = known(lambda: savings_info(records, account.full_steps))
    if savings is not None:
        yield Headline(
            f"{100 * savings.saved_share:.0f}%", "training saved", "by stopping networks early"
        )


def _sections(account: RunAccount) -> Iterator[Section]:
    charts: dict[str, list[Chart]] = {}
    for _, plot, info in plots_of_run(account):
        charts.setdefault(plot.section, []).append(plot.chart(info))
    for key, title in SECTIONS.items():
        if key in charts:
            yield Section(key, title, tuple(charts[key]))
    if account.crops:
        yield Section("pictures", "Pictures")
    yield Section("tables", "Tables")
    yield Section("made", "How it was made")


def _tables(account: RunAccount) -> Iterator[PageTable]:
    records, summary = account.records, account.summary
    by_number = {str(record.number): record for record in records}
    for key, table in (
        ("front", front_table(records, summary)),
        ("trials", trial_table(records, summary)),
    ):
        rows: list[TrialRecord] = [by_number[row[0]] for row in table.rows]
        yield PageTable(key, table, tuple(r.number for r in rows), tuple(r.state for r in rows))


def _pictures(account: RunAccount) -> Iterator[dict[str, Any]]:
    for crops in account.crops:
        images = [
            {
                "name": image.name,
                "psnr": "" if image.psnr_y_db is None else f"{image.psnr_y_db:.2f} dB",
                "number": image.number,
                "detail": image.detail,
                "source": f"data:image/png;base64,{base64.b64encode(image.png).decode('ascii')}",
            }
            for image in crops.images
        ]
        yield {"photo": crops.photo, "place": crops.place, "images": images}
