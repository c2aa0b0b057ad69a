"""A campaign's plots as one SVG file: light and dark, readable by programs that know no style sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sparktui import __version__
from sparktui.compare.comparison import Comparison, Table
from sparktui.exporting import facts
from sparktui.exporting.chart import HEIGHT, WIDTH, described, panel
from sparktui.exporting.grid import subtitle, title
from sparktui.exporting.markup import Element, element, xml
from sparktui.exporting.palette import STYLE
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import SIMULATED, ascii_json, moment, one_line

HEAD = 62
PANEL_HEAD = 46
FOOT = 46
MARGIN = 20
LINE_LENGTH = 118


def chunks(subject: Subject) -> Iterator[bytes]:
    """Return the document."""
    comparison = subject.comparison()
    tables = [table for table in comparison.tables if table.rows]
    height = HEAD + len(tables) * (PANEL_HEAD + HEIGHT) + FOOT
    width = WIDTH + 2 * MARGIN
    beside = subject.topologies()
    panels = (_panel(table, comparison, beside, HEAD + at * (PANEL_HEAD + HEIGHT)) for at, table in enumerate(tables))
    yield xml(
        element(
            "svg",
            element("title", _title(subject)),
            element("desc", _desc(subject, tables)),
            element("metadata", _metadata(subject, comparison)),
            element("style", STYLE),
            element("rect", class_="paper", width=width, height=height, fill="#ffffff"),
            *_head(subject, comparison),
            *panels,
            *_foot(subject, comparison, height),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {width} {height}",
            width=width,
            height=height,
            role="img",
        )
    )


def inline(table: Table, comparison: Comparison, beside: Sequence[str]) -> Element:
    """Return one plot for a page that has the plots' style sheet; `beside` as of `panel`."""
    return element(
        "svg",
        element("title", f"{title(table)} against concurrency"),
        element("desc", described(table)),
        panel(table, simulated=comparison.simulated, beside=beside),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
    )


def _title(subject: Subject) -> str:
    mark = "SIMULATED: " if subject.simulated else ""
    return f"{mark}{one_line(subject.campaign.name)}"


def _desc(subject: Subject, tables: list[Table]) -> str:
    return "\n".join([SIMULATED] * subject.simulated + [f"{title(table)}: {described(table)}" for table in tables])


def _metadata(subject: Subject, comparison: Comparison) -> str:
    """Return what the picture has no room for, as JSON."""
    campaign = subject.campaign
    document = {
        "measured_by": campaign.version,
        "exported_by": __version__,
        "simulated": subject.simulated,
        "campaign": {"id": campaign.id, "name": campaign.name, "source": campaign.source, "state": campaign.state},
        "measured": dict(facts.measured(subject, comparison)),
        "fingerprints": {column.name: column.fingerprint for column in comparison.columns},
        "nodes": {node.name: node.facts for node in subject.reader.nodes(campaign.id)},
        "profile_yaml": campaign.profile_yaml,
        "notes": comparison.notes,
    }
    return ascii_json(document)


def _head(subject: Subject, comparison: Comparison) -> Iterator[Element]:
    models = ", ".join(dict.fromkeys(column.fingerprint.model or "" for column in comparison.columns)).strip(", ")
    yield element("text", _title(subject), x=MARGIN, y=30, class_="title ink", fill="#1b2127")
    yield _line(f"{models} · {moment(subject.campaign.created)}" if models else moment(subject.campaign.created), 49)


def _panel(table: Table, comparison: Comparison, beside: Sequence[str], y: int) -> Element:
    return element(
        "g",
        element("text", title(table), x=MARGIN, y=18, class_="ink", fill="#1b2127", font_weight=650),
        _line(subtitle(table, comparison), 35),
        element(
            "g",
            panel(table, simulated=comparison.simulated, beside=beside),
            transform=f"translate({MARGIN} {PANEL_HEAD})",
        ),
        transform=f"translate(0 {y})",
    )


def _foot(subject: Subject, comparison: Comparison, height: int) -> Iterator[Element]:
    campaign = subject.campaign
    nodes = ", ".join(node.name for node in subject.reader.nodes(campaign.id))
    engines = dict.fromkeys(
        text for column in comparison.columns if (text := " ".join(column.fingerprint.engine.values()))
    )
    counts = f"calculator {comparison.calculator}; tokens from {facts.known(comparison.token_source)}"
    yield _line(f"{facts.made_by(subject)}; {counts}; exported by sparktui {__version__}", height - 26)
    parts = (f"nodes {nodes}" if nodes else "", f"engine {', '.join(engines)}" if engines else "")
    yield _line("; ".join(part for part in parts if part), height - 10)


def _line(text: str, y: int) -> Element:
    text = one_line(text)
    shown = text if len(text) <= LINE_LENGTH else f"{text[: LINE_LENGTH - 1]}…"
    return element("text", shown, x=MARGIN, y=y, class_="faint small", fill="#5c6670")
