"""Why an answer to a use case is what it is, in words: margins, values, and what else the tables say of its levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sparktui.compare.comparison import Table
from sparktui.compare.levels import spans
from sparktui.compare.verdict import equal, verdict
from sparktui.compare.winners import Metric, Row
from sparktui.units import milliseconds, percents, rate, shares

NAMES = {"ttft": "TTFT", "energy": "tokens per joule"}
"""What a metric is called in a sentence."""


def decided_winner(row: Row) -> str | None:
    """Return who wins a level; None of a tie."""
    return None if row.tie else row.winner


def undecided(table: Table, rows: Sequence[Row]) -> str:
    """Say why levels have no winner: who ties and whom they lead, or who is there alone."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(equal(row.tied) if row.tie else verdict(row), []).append(row)
    return "; ".join(_no_winner(table, said, found, len(groups) > 1) for said, found in groups.items())


def won(table: Table, topology: str, rows: Sequence[Row]) -> Iterator[str]:
    """Say by how much a topology wins which levels, what it reaches there, and at which others it only ties."""
    decided = [row for row in rows if decided_winner(row) is not None]
    where = "" if len(decided) == len(rows) else f" at {_where(table, decided)}"
    yield f"{_ahead(table.metric, decided)}{where}, {_values(table, topology, decided)}"
    others = dict.fromkeys(name for row in rows for name in row.tied if name != topology)
    if others:
        yield f"ties with {' and '.join(others)} at {_where(table, [row for row in rows if row.tie])}"


def beside(table: Table, topology: str, levels: Sequence[int]) -> Iterator[str]:
    """Tell a figure that does not decide: its values, and at which levels it is ahead or somebody else is."""
    rows = [row for row in table.rows if row.concurrency in levels]
    values = _values(table, topology, rows)
    if not values:
        return
    said = [f"{NAMES.get(table.metric.name, table.metric.name)} {values}"]
    for name in dict.fromkeys(winner for row in rows if (winner := decided_winner(row)) is not None):
        mine = [row for row in rows if decided_winner(row) == name]
        ahead = _ahead(table.metric, mine, named=False) if name == topology else f"better with {name}"
        said.append(
            ahead if len(rows) == 1 or (name == topology and mine == rows) else f"{ahead} at {_where(table, mine)}"
        )
    yield ", ".join(said)


def who_else(table: Table, levels: Sequence[int]) -> Iterator[str]:
    """Tell of levels without an answer who is ahead in a figure that does not decide, for whoever has to choose."""
    rows = [row for row in table.rows if row.concurrency in levels]
    name = NAMES.get(table.metric.name, table.metric.name)
    for winner in dict.fromkeys(found for row in rows if (found := decided_winner(row)) is not None):
        mine = [row for row in rows if decided_winner(row) == winner]
        where = "" if len(mine) == len(rows) else f" at {_where(table, mine)}"
        yield f"{name} with {winner} {_ahead(table.metric, mine, named=False)}{where}"


def _no_winner(table: Table, said: str, rows: Sequence[Row], several: bool) -> str:
    leads = [lead for row in rows for lead in row.leads]
    rivals = dict.fromkeys(row.lead_over for row in rows if row.lead_over is not None)
    ahead = f", {percents(leads)} vs {' or '.join(rivals)}" if all(row.lead_over for row in rows) else ""
    where = f" at {_where(table, rows)}" if several else ""
    return f"a tie{where}: {said}{ahead}" if rows[0].tie else f"{said}{where}"


def _ahead(metric: Metric, rows: Sequence[Row], *, named: bool = True) -> str:
    """Say by how much the winner is ahead of whom: more of what should be high, or sooner."""
    margins = [row.margin for row in rows if row.margin is not None]
    rivals = " or ".join(dict.fromkeys(row.against for row in rows if row.against))
    name = f"{NAMES.get(metric.name, metric.name)} " if named else ""
    if metric.better == "lower":
        return f"{name}{shares(margins)} sooner than {rivals}"
    return f"{percents(margins)} {name}over {rivals}"


def _where(table: Table, rows: Sequence[Row]) -> str:
    return spans([row.concurrency for row in rows], [row.concurrency for row in table.rows])


def _values(table: Table, topology: str, rows: Sequence[Row]) -> str:
    values = [value for row in rows if (value := row.values.get(topology)) is not None]
    if not values:
        return ""
    show = milliseconds if table.metric.unit == "ms" else rate
    low, high = show(min(values)), show(max(values))
    return f"{low if low == high else f'{low} to {high}'} {table.metric.unit}"
