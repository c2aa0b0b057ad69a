"""The points that Sweep shows, as rows for a file."""

from __future__ import annotations

from collections.abc import Iterator

from sparktui.compare.comparison import Table
from sparktui.compare.verdict import SO_FAR
from sparktui.compare.winners import Row
from sparktui.exporting.interval import mean_interval
from sparktui.ui.sweep_picture import Picture
from sparktui.ui.table_shown import TableShown, Value

COLUMNS = (
    "series",
    "simulated",
    "topology",
    "concurrency",
    "value",
    "std",
    "mean_95_low",
    "mean_95_high",
    "result",
    "ties_with",
    "margin",
    "against",
    "cannot_win",
)
"""`series` is `race`, or the label of lines drawn behind. `result` is what the topology itself comes to there: `wins`,
`ties` (with whom, stands beside it), `behind`, `in doubt` (too badly known to be told from the best, though behind
others that can), `cannot win`, or `alone` where nobody else can be ranked. `margin` is a fraction, of the first."""
OWN = "race"


def sweep_rows(picture: Picture) -> TableShown:
    """Return every point of the figure that is drawn, those of the lines behind it too."""
    table = picture.table
    facts: tuple[tuple[str, str], ...] = (
        ("figure", f"{table.metric.title} ({table.metric.figure})"),
        ("unit", table.metric.unit),
        ("better", table.metric.better),
        ("workload", str(table.workload)),
        ("calculator", table.calculator),
        ("tokens counted by", table.token_source),
    )
    ghosts = picture.figure.ghosts
    if table.simulated:
        facts += tuple(("not simulated", ghost.label) for ghost in ghosts if not ghost.table.simulated)
    series = ((OWN, table), *((ghost.label, ghost.table) for ghost in ghosts))
    return TableShown(COLUMNS, tuple(row for label, one in series for row in _points(label, one)), facts)


def _points(series: str, table: Table) -> Iterator[tuple[Value, ...]]:
    simulated = "SIMULATED" if table.simulated else None
    for row in table.rows:
        for topology in table.topologies:
            if (value := row.values.get(topology)) is not None:
                low, high = mean_interval(row.estimates.get(topology)) or (None, None)
                figure = row.concurrency, value, row.std.get(topology), low, high
                yield (series, simulated, topology, *figure, *_verdict(row, topology))


def _verdict(row: Row, topology: str) -> tuple[Value, ...]:
    first = row.winner == topology
    others = [name for name in row.tied if name != topology] if topology in row.tied else []
    margin, against = (row.margin, row.against) if first else (None, None)
    return _result(row, topology), "; ".join(others) or None, margin, against, row.barred.get(topology)


def _result(row: Row, topology: str) -> str | None:
    """Return what a topology comes to at a level; None where nobody is ranked."""
    if topology in row.barred:
        return "cannot win"
    if row.only == topology:
        return "alone"
    if row.winner is None:
        return None
    if row.winner == topology or topology in row.tied:
        result = "ties" if row.tied else "wins"
    else:
        result = "in doubt" if topology in row.in_doubt else "behind"
    return f"{result}{SO_FAR if row.awaited else ''}"
