"""What stands beside the winner tables: how much of the race they hold, where they cross, what to serve with, notes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from textual.content import Content

from sparktui.compare.answers import advice_lines
from sparktui.compare.comparison import Comparison
from sparktui.compare.sentences import leader_sentences
from sparktui.compare.unmeasured import unmeasured_lines
from sparktui.ui.compared_view import CompareView
from sparktui.ui.empty import without_a_campaign
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import harmless, lines
from sparktui.ui.whose import Whose
from sparktui.ui.widgets.panel import Panel
from sparktui.ui.widgets.verdicts import LEGEND

NOT_YET = "cannot win: not measured"
"""Said of every cell still to come: the dash in the table says it better."""


class Standing(Panel):
    """How much of the race the tables hold, by which calculator; under it what their marks mean."""

    def __init__(self) -> None:
        super().__init__(id="standing")
        self._asked: str | None = None

    def ask(self, calculator: str | None) -> None:
        """Say which calculator is being waited for; None for none."""
        self._asked = calculator

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        if isinstance(snapshot.view, CompareView):
            return lines([row.truncate(width, ellipsis=True) for row in _side_by_side(snapshot.view, width)])
        if snapshot.campaign is None:
            return Content(without_a_campaign(snapshot))
        done, every = sum(cell.state == "done" for cell in snapshot.cells), len(snapshot.cells)
        sofar = f"so far {done} of {every} cells measured   " if snapshot.campaign.running else ""
        waiting = self._waiting(snapshot)
        load = _workload(snapshot, width - len(sofar) - len(waiting))
        first = Content.assemble((sofar, "bold"), load, (waiting, "bold $warning"))
        legend = Content.styled(LEGEND, "$dim")
        return lines([first.truncate(width, ellipsis=True), legend.truncate(width, ellipsis=True)])

    def _waiting(self, snapshot: Snapshot) -> str:
        known = None if snapshot.comparison is None else snapshot.comparison.calculator
        return f"   working out {self._asked} …" if self._asked is not None and self._asked != known else ""


def _side_by_side(view: CompareView, width: int) -> tuple[Content, Content]:
    """Say which campaigns these are, after what matters more: where they are not ranked, that they are not."""
    names = ", ".join(harmless(one.called) for one in Whose.compared(view.comparison.campaigns))
    ranked = _not_ranked(view.comparison)
    loads = len({table.workload for table in view.comparison.tables})
    apart = f"{loads} loads, each with tables of its own: scroll   " if loads > 1 else ""
    first = Content.assemble((ranked, "bold $warning"), (apart, "$warning"), (names, "bold"))
    parts = ["Esc: back", *LEGEND.split("  ")]
    while len("  ".join(parts)) > width and len(parts) > 1:
        parts.pop()
    return first, Content.styled("  ".join(parts), "$dim")


def _workload(snapshot: Snapshot, room: int) -> str:
    """Say what every cell is loaded with and how its figures come about; the last facts give way first."""
    cells = snapshot.cells
    if not cells:
        return ""
    depth = f" depth{cells[0].depth}" if cells[0].depth else ""
    kind = "pool runs" if cells[0].shape == "pool" else "waves"
    facts = [f"pp{cells[0].pp} tg{cells[0].tg}{depth}", f"{cells[0].runs} {kind} a level"]
    if snapshot.comparison is not None:
        facts += [snapshot.comparison.calculator, f"tokens by {snapshot.comparison.token_source}"]
    while len(facts) > 1 and len(" · ".join(facts)) > room:
        facts.pop()
    return " · ".join(facts)


def _not_ranked(comparison: Comparison) -> str:
    """Say that nobody is ranked, or who is left out of it; the notes say why."""
    if not comparison.ranked:
        return "not ranked: not measured alike, see the notes   "
    left_out = ", ".join(harmless(one.called) for one in Whose.compared(comparison.campaigns_apart))
    return f"{left_out} not ranked: unlike the others, see the notes   " if left_out else ""


class Crossings(Panel):
    """Up to how many users who leads, in a sentence a metric."""

    grows = True

    def __init__(self) -> None:
        super().__init__(id="crossings", classes="box", title="Crossovers")

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.comparison

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        tables = () if snapshot.comparison is None else snapshot.comparison.tables
        found = [line for table in tables for line in leader_sentences(table)]
        return lines([row for line in found for row in _wrapped(line, width)] or [Content.styled("none yet", "$dim")])


class Advice(Panel):
    """Use case, topology, why."""

    grows = True

    def __init__(self) -> None:
        super().__init__(id="advice", classes="box", title="When to use which")

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.comparison

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        comparison = snapshot.comparison
        if comparison is not None and (why := unmeasured_lines(comparison)):
            return lines([row for line in why for row in _wrapped(line, width)])
        found = [] if comparison is None else advice_lines(comparison, width)
        return lines([_advised(line) for line in found] or [Content.styled("none yet", "$dim")])


def _advised(line: str) -> Content:
    """Return a line of advice, the reasons below a use case dimmed."""
    return Content.styled(harmless(line), "$dim" if line.startswith(" ") else "")


class Notes(Panel):
    """What has to be said with the tables: who cannot win and why, what differs, what drifted."""

    grows = True

    def __init__(self) -> None:
        super().__init__(id="notes", classes="box", title="Notes")

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.comparison

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        return lines(list(_notes(snapshot, width)) or [Content.styled("nothing to add", "$dim")])


def _notes(snapshot: Snapshot, width: int) -> Iterator[Content]:
    comparison = snapshot.comparison
    if comparison is None:
        return
    for difference in comparison.differences:
        yield from _wrapped(difference, width, "$warning")
    for note in comparison.notes:
        if not note.endswith(NOT_YET):
            yield from _wrapped(note, width)


def _wrapped(text: str, width: int, style: str = "") -> Iterator[Content]:
    for line in textwrap.wrap(harmless(text), max(20, width), subsequent_indent="  ", break_on_hyphens=False):
        yield Content.styled(line, style)
