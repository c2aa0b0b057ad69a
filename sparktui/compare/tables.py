"""A comparison as text, one row a level and one column a topology, and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sparktui.compare.crossover import Crossover
from sparktui.compare.summary import Comparison, Table
from sparktui.compare.winners import Row
from sparktui.units import UNKNOWN, milliseconds, percent, rate

WIDTH = 80
MIN_NAME = 8


def render(comparison: Comparison, width: int = WIDTH) -> str:
    """Return every table, the crossovers and the notes, for a terminal `width` columns wide."""
    parts = [render_table(table, simulated=comparison.simulated, width=width) for table in comparison.tables]
    found = [_crossover_line(crossover) for crossover in comparison.crossovers]
    if found:
        parts.append("\n".join(("Crossovers", *(f"  {line}" for line in found))))
    if comparison.notes:
        parts.append("\n".join(("Notes", *(f"  {note}" for note in comparison.notes))))
    return "\n\n".join(parts)


def render_table(table: Table, *, simulated: bool, width: int = WIDTH) -> str:
    """Return one table, the best cell of a row in brackets; what does not fit is left out, least needed first."""
    with_std = partial(_cell, table, std=True)
    plain = partial(_cell, table, std=False)
    for cell, winner in ((with_std, _full_verdict), (plain, _full_verdict), (plain, verdict)):
        grid = _grid(table, table.topologies, cell, winner)
        if _width(grid) <= width:
            break
    else:
        grid = _grid(table, _shortened(table.topologies, _width(grid) - width), plain, verdict)
    return "\n".join((*_title(table, simulated, width), *_aligned(grid)))


def to_json(comparison: Comparison) -> dict[str, object]:
    """Return a comparison as plain data: the documented shape of `compare --json`."""
    campaign = comparison.campaign
    return {
        "simulated": comparison.simulated,
        "source": campaign.source,
        "campaign": {"id": campaign.id, "name": campaign.name, "state": campaign.state, "created": campaign.created},
        "topologies": list(comparison.topologies),
        "calculator": comparison.calculator,
        "token_source": comparison.token_source,
        "rows": [_json_row(table, row) for table in comparison.tables for row in table.rows],
        "crossovers": [_json_crossover(crossover) for crossover in comparison.crossovers],
        "notes": list(comparison.notes),
    }


def _json_row(table: Table, row: Row) -> dict[str, object]:
    load = table.workload
    return {
        "metric": row.metric,
        "unit": table.metric.unit,
        "better": table.metric.better,
        "pp": load.pp,
        "tg": load.tg,
        "depth": load.depth,
        "shape": load.shape,
        "concurrency": row.concurrency,
        "values": row.values,
        "std": row.std,
        "winner": row.winner,
        "margin": row.margin,
        "against": row.against,
        "tie": row.tie,
        "interval": None if row.interval is None else list(row.interval),
        "decided_by": row.decided_by,
        "barred": row.barred,
    }


def _json_crossover(crossover: Crossover) -> dict[str, object]:
    return {
        "metric": crossover.metric,
        "below": crossover.below,
        "above": crossover.above,
        "concurrency": crossover.concurrency,
        "between": list(crossover.between),
    }


def _title(table: Table, simulated: bool, width: int) -> list[str]:
    metric = table.metric
    mark = "SIMULATED  " if simulated else ""
    title = f"{mark}{metric.title}, {metric.unit}, {metric.better} is better"
    load = f"{table.workload}; margin against {table.baseline or 'the runner-up'}"
    return [f"{title}  ({load})"] if len(title) + len(load) + 4 <= width else [title, f"({load})"]


def _grid(
    table: Table, names: Sequence[str], cell: Callable[[Row, str], str], winner: Callable[[Row], str]
) -> list[list[str]]:
    head = ["c", *names, "Winner"]
    body = [[str(row.concurrency), *(cell(row, name) for name in table.topologies), winner(row)] for row in table.rows]
    return [head, *body]


def _aligned(grid: Sequence[Sequence[str]]) -> list[str]:
    widths = _widths(grid)
    return [
        " ".join(
            (
                cells[0].rjust(widths[0]),
                *(c.rjust(w) for c, w in zip(cells[1:-1], widths[1:-1], strict=True)),
                cells[-1],
            )
        ).rstrip()
        for cells in grid
    ]


def _widths(grid: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*grid, strict=True)]


def _width(grid: Sequence[Sequence[str]]) -> int:
    widths = _widths(grid)
    return sum(widths) + len(widths) - 1


def _shortened(names: Sequence[str], excess: int) -> list[str]:
    """Take `excess` columns off the longest names, one at a time, never below MIN_NAME."""
    rooms = [len(name) for name in names]
    for _ in range(max(0, excess)):
        longest = max(range(len(rooms)), key=rooms.__getitem__)
        if rooms[longest] <= MIN_NAME:
            break
        rooms[longest] -= 1
    return [name if len(name) <= room else name[: room - 1] + "…" for name, room in zip(names, rooms, strict=True)]


def _cell(table: Table, row: Row, topology: str, *, std: bool) -> str:
    text = _number(table, row.values.get(topology))
    spread = row.std.get(topology)
    if std and spread is not None:
        text = f"{text} ±{_number(table, spread)}"
    if topology == row.winner:
        return f"[{text}]"
    return f"{text}*" if topology in row.barred and row.values.get(topology) is not None else f"{text} "


def _number(table: Table, value: float | None) -> str:
    return milliseconds(value) if table.metric.unit == "ms" else rate(value)


def verdict(row: Row) -> str:
    """Say who wins in a few words: `cluster-tp2 +46 %`, `tie +0.6 %`, or `-`."""
    if row.winner is None:
        return UNKNOWN
    if row.margin is None:
        return f"{row.winner} alone"
    return f"tie {percent(row.margin)}" if row.tie else f"{row.winner} {percent(row.margin)}"


def _full_verdict(row: Row) -> str:
    """Add who leads a tie, and how sure the margin is."""
    text = f"tie, {row.winner} {percent(row.margin)}" if row.tie else verdict(row)
    return text if row.interval is None else f"{text} ({_span(row.interval)})"


def _span(interval: Iterable[float]) -> str:
    low, high = interval
    return f"{low * 100:+.1f} to {high * 100:+.1f}"


def _crossover_line(crossover: Crossover) -> str:
    low, high = crossover.between
    return (
        f"{crossover.metric}: from c{crossover.concurrency:.0f} on {crossover.above} instead of {crossover.below}"
        f" (measured at c{low} and c{high})"
    )
