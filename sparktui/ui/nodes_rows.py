"""The strips of the Nodes screen as rows for a file."""

from __future__ import annotations

from sparktui.exporting.text import moment
from sparktui.nodes.history import running_at
from sparktui.ui.nodes_view import Column, NodesView
from sparktui.ui.table_shown import TableShown, Value
from sparktui.units import GIB

COLUMNS = (
    "node", "from", "sampled_s", "phase", "topology", "left_gib", "free_gib", "gpu_held_gib", "warn_gib", "stop_gib",
    "under_floor",
)  # fmt: skip


def nodes_rows(view: NodesView) -> TableShown:
    """Return a row for every column of every node; columns without a sample are left out."""
    rows = tuple(
        _row(view, strip.node, index, column)
        for strip in view.strips
        for index, column in enumerate(strip.columns)
        if column is not None
    )
    facts = (
        ("shown", f"{moment(view.span.start)} to {moment(view.span.end)}"),
        ("a row is", f"of the samples of {view.span.width_s} s the one with the least left"),
    )
    return TableShown(COLUMNS, rows, facts)


def _row(view: NodesView, node: str, index: int, column: Column) -> tuple[Value, ...]:
    start = view.span.start + index * view.span.width_s
    run = running_at(view.runs, column.t)
    sizes = (
        column.left_bytes,
        column.free_bytes,
        column.gpu_procs_bytes,
        column.warn_bytes,
        column.stop_bytes,
    )
    in_gib = (None if size is None else round(size / GIB, 3) for size in sizes)
    topology = None if run is None else run.topology
    return (node, moment(start), column.t, column.phase, topology, *in_gib, column.under or None)
