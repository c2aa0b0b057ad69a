"""The points that Sweep shows, as rows for a file."""

from __future__ import annotations

from collections.abc import Iterator

from sparktui.compare.winners import Row
from sparktui.exporting.interval import mean_interval
from sparktui.ui.sweep_picture import Picture
from sparktui.ui.table_shown import TableShown, Value

COLUMNS = (
    "series",
    "topology",
    "concurrency",
    "value",
    "std",
    "mean_95_low",
    "mean_95_high",
    "wins",
    "tie",
    "margin",
    "against",
    "cannot_win",
)
"""`series` is `measured`, or the label of lines drawn behind; `margin` a fraction, of the winner alone."""


def sweep_rows(picture: Picture) -> TableShown:
    """Return every point of the figure that is drawn, those of the lines behind it too."""
    table = picture.table
    facts = (
        ("figure", f"{table.metric.title} ({table.metric.figure})"),
        ("unit", table.metric.unit),
        ("better", table.metric.better),
        ("workload", str(table.workload)),
        ("calculator", table.calculator),
        ("tokens counted by", table.token_source),
    )
    rows = [row for level in table.rows for row in _points("measured", level, table.topologies)]
    for ghost in picture.figure.ghosts:
        rows += [row for level in ghost.table.rows for row in _points(ghost.label, level, ghost.table.topologies)]
    return TableShown(COLUMNS, tuple(rows), facts)


def _points(series: str, row: Row, topologies: tuple[str, ...]) -> Iterator[tuple[Value, ...]]:
    for topology in topologies:
        value = row.values.get(topology)
        if value is not None:
            low, high = mean_interval(row.estimates.get(topology)) or (None, None)
            yield (series, topology, row.concurrency, value, row.std.get(topology), low, high, *_verdict(row, topology))


def _verdict(row: Row, topology: str) -> tuple[Value, ...]:
    wins = row.winner == topology
    tie = ("yes" if row.tie else "no") if row.margin is not None else None
    return (
        "yes" if wins else "no",
        tie,
        row.margin if wins else None,
        row.against if wins else None,
        row.barred.get(topology),
    )
