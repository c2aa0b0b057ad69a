"""Markdown in the shape of a published topology benchmark: tables, crossovers, advice, how it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.sentences import leader_sentences, pair_sentences
from sparktui.exporting import facts
from sparktui.exporting.grid import Cell, advice_rows, grid, subtitle, title
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import SIMULATED, markdown, markdown_line, visible


def chunks(subject: Subject) -> Iterator[bytes]:
    """Return the document, section by section."""
    comparison = subject.comparison()
    for section in _sections(subject, comparison):
        yield f"{section}\n\n".encode(errors="backslashreplace")


def _sections(subject: Subject, comparison: Comparison) -> Iterator[str]:
    yield f"# {markdown(subject.campaign.name)}: which topology wins"
    if subject.simulated:
        yield f"> **{SIMULATED}.**"
    for table in comparison.tables:
        yield from _of_table(table, comparison)
    if advice := advice_rows(comparison):
        yield "## When to use which"
        yield _table(("Use case", "Topology", "Why"), ([markdown(text) for text in row] for row in advice))
    if comparison.notes:
        yield "## Notes"
        yield _list(comparison.notes)
    yield "## How it was measured"
    yield _facts(facts.measured(subject, comparison))
    yield from _environment(subject, comparison)


def _of_table(table: Table, comparison: Comparison) -> Iterator[str]:
    yield f"## {markdown(title(table))}"
    yield markdown_line(subtitle(table, comparison)) + "."
    cells = grid(table)
    head = [markdown(name) for name in cells.head]
    yield _table(head, ([_cell(cell) for cell in row] for row in cells.rows), numbers=len(table.topologies))
    if any(cell.barred for row in cells.rows for cell in row):
        yield "\\* cannot win; the notes say why."
    if lines := [*leader_sentences(table), *pair_sentences(table)]:
        yield _list(lines)


def _environment(subject: Subject, comparison: Comparison) -> Iterator[str]:
    for heading, groups in (
        ("Nodes", facts.nodes(subject)),
        ("Topologies", facts.topologies(comparison)),
        ("Imported from", facts.origins(subject)),
    ):
        if groups:
            yield f"## {heading}"
        for group in groups:
            yield f"### {markdown(group.title)}"
            yield _facts(group.facts)
    if profile := subject.campaign.profile_yaml:
        yield "## Profile"
        yield _code(visible(profile))


def _facts(found: Iterable[facts.Fact]) -> str:
    return _table(("", ""), ([markdown(name), markdown(value)] for name, value in found))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return a table with `numbers` right-aligned columns after the first."""
    rule = ["---:" if 0 < at <= numbers else "---" for at in range(len(head))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _cell(cell: Cell) -> str:
    text = markdown(cell.text)
    return f"**{text}**" if cell.best else f"{text}\\*" if cell.barred else text


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_line(line)}" for line in lines)


def _code(text: str) -> str:
    """Return text as a block of code that nothing in it can end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}yaml\n{text.rstrip()}\n{fence}"
