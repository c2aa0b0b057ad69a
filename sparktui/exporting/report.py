"""The report's sections: the answer first, then figure by figure, then how it was measured and on what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sparktui import __version__
from sparktui.compare.advice import DEFAULT, advise
from sparktui.compare.answers import advice_reason
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.sentences import leader_sentences, pair_sentences
from sparktui.exporting import facts
from sparktui.exporting.grid import Cell, advice_rows, grid, subtitle, title
from sparktui.exporting.markup import Element, element
from sparktui.exporting.subject import Subject
from sparktui.exporting.svg import inline
from sparktui.exporting.text import SIMULATED, moment

E = element


def sections(subject: Subject, comparison: Comparison) -> Iterator[Element]:
    """Return everything below the page's head."""
    yield from _opening(subject, comparison)
    for table in comparison.tables:
        if table.rows:
            yield from _of_table(table, comparison, subject.topologies())
    if advice := advice_rows(comparison):
        yield E("h2", "When to use which")
        yield _scrolled(_texts(("Use case", "Topology", "Why"), advice))
    if comparison.notes:
        yield E("h2", "Notes")
        yield _list(comparison.notes)
    yield E("h2", "How it was measured")
    yield _facts(facts.measured(subject, comparison))
    yield from _environment(subject, comparison)
    yield E("footer", f"Exported by sparktui {__version__}. This page holds everything it shows and asks for nothing.")


def _opening(subject: Subject, comparison: Comparison) -> Iterator[Element]:
    campaign = subject.campaign
    models = dict.fromkeys(column.fingerprint.model for column in comparison.columns)
    about = (*(model for model in models if model), campaign.source, moment(campaign.created))
    yield E("h1", campaign.name)
    yield E("p", " · ".join(about), class_="about")
    if subject.simulated:
        yield E("div", f"{SIMULATED}.", class_="alarm", role="note")
    yield _answer(comparison)


def _answer(comparison: Comparison) -> Element:
    """Say what to serve with, and where that changes."""
    default = next((advice for advice in advise(comparison) if advice.use_case == DEFAULT), None)
    if default is not None and default.topology is not None:
        said = f"So far {default.topology}" if default.awaited else f"Serve with {default.topology}"
        head = [E("strong", said), E("span", advice_reason(default))]
    elif default is not None:
        head = [E("strong", "No topology wins outright"), E("span", advice_reason(default))]
    else:
        head = [E("strong", ", ".join(comparison.topologies) or "Nothing was measured yet")]
    lines = [line for table in comparison.tables for line in leader_sentences(table)]
    return E("div", *head, *([_list(lines)] if lines else []), class_="answer")


def _of_table(table: Table, comparison: Comparison, beside: Sequence[str]) -> Iterator[Element]:
    yield E("h2", title(table))
    yield E("p", f"{subtitle(table, comparison)}.", class_="about")
    yield E("figure", inline(table, comparison, beside))
    yield _scrolled(_winners(table))
    if lines := [*leader_sentences(table), *pair_sentences(table)]:
        yield _list(lines)


def _winners(table: Table) -> Element:
    cells = grid(table)
    names = len(table.topologies)
    head = [E("th", name, class_=_kind(at, names)) for at, name in enumerate(cells.head)]
    body = [E("tr", *(_cell(cell, at, names) for at, cell in enumerate(row))) for row in cells.rows]
    return E("table", E("thead", E("tr", *head)), E("tbody", *body))


def _cell(cell: Cell, at: int, names: int) -> Element:
    kinds = [_kind(at, names)] + ["best"] * cell.best + ["barred"] * cell.barred
    return E("td", cell.text, class_=" ".join(kinds), title=cell.note or None)


def _kind(at: int, names: int) -> str:
    return "figure" if 0 < at <= names else "level"


def _environment(subject: Subject, comparison: Comparison) -> Iterator[Element]:
    for heading, groups in (
        ("Nodes", facts.nodes(subject)),
        ("Topologies", facts.topologies(comparison)),
        ("Imported from", facts.origins(subject)),
    ):
        if groups:
            yield E("h2", heading)
        for group in groups:
            yield E("h3", group.title)
            yield _facts(group.facts)
    if profile := subject.campaign.profile_yaml:
        yield E("h2", "Profile")
        yield E("details", E("summary", "The profile it was run with"), E("pre", profile))


def _facts(found: Iterable[facts.Fact]) -> Element:
    rows = (E("tr", E("th", name, scope="row"), E("td", value)) for name, value in found)
    return E("table", E("tbody", *rows), class_="facts")


def _texts(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    body = (
        E("tr", *(E("td", _unbroken(text), class_="name" if at == 1 else None) for at, text in enumerate(row)))
        for row in rows
    )
    return E("table", E("thead", E("tr", *(E("th", text) for text in head))), E("tbody", *body))


def _unbroken(text: str) -> str:
    """Keep a line from ending within a number, or before its percent sign."""
    return re.sub(r"(?<=\d) (?=\d{3}\b|%)", "\u00a0", text)


def _list(lines: Iterable[str]) -> Element:
    return E("ul", *(E("li", _unbroken(line)) for line in lines))


def _scrolled(table: Element) -> Element:
    return E("div", table, class_="scroll")
