"""The flight recorder as text: per node its last words, the closest calls, a line of memory left, and the last samples.

Every line fits 80 columns, but for what engines, nodes and the log wrote.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from sparktui.exporting.text import one_line, visible
from sparktui.moments import local_time
from sparktui.nodes.guard import Limits, stop_floor
from sparktui.nodes.history import ClosestCall, Episode, Mark, clock
from sparktui.nodes.sample import NodeSample
from sparktui.recorder.flight import Flight, NodeFlight
from sparktui.recorder.readings import number, rate
from sparktui.store.rows import LeastLeftRow
from sparktui.units import UNKNOWN, duration, gib

STEPS = "▁▂▃▄▅▆▇█"
UNDER_STOP, UNDER_WARN, GAP = "✗", "!", " "
WIDTH = 80
ROWS = 12
"""Samples shown one by one."""
HEADS = (("time", "phase", "left", "free", "GPU", "swap", "PSI", "stalls", "util", "W", "C", "MHz", "RDMA"),
         ("", "", "GiB", "GiB", "GiB", "GiB", "%", "/s", "%", "", "", "", "GB/s"))  # fmt: skip


def render(flight: Flight) -> str:
    """Return the whole of it."""
    parts = [_head(flight), *(_node(flight, node) for node in flight.nodes), _log(flight.marks)]
    return visible("\n\n".join("\n".join(part) for part in parts if part))


def _head(flight: Flight) -> list[str]:
    row, window, focus = flight.campaign, flight.window, flight.focus
    span = f"the last {duration(window.end - window.start)} before {_day(flight)}{clock(window.end)}"
    lines = [f"campaign {row.id}: {one_line(row.name)}{' · SIMULATED' if row.simulated else ''}"]
    if focus is None:
        return [*lines, f"{span}, the newest sample{'' if flight.troubles else '; nothing went wrong'}"]
    lines += [f"{span}, when this happened:", *_wrapped(one_line(focus.text), "  ")]
    others = [mark for mark in flight.troubles if mark is not focus]
    if others:
        lines.append(f"also: {', '.join(f'{clock(mark.t)} {mark.source} {mark.kind}' for mark in others)}")
    return lines


def _day(flight: Flight) -> str:
    """Name the day where a campaign went over more than one."""
    day, began = (local_time(t, "%Y-%m-%d") for t in (flight.window.end, flight.campaign.created))
    return "" if day == began else f"{day} "


def _node(flight: Flight, node: NodeFlight) -> list[str]:
    lines = [f"{node.node}{', fragile' if node.fragile else ''}", *_wrapped(str(node.words), "  ", "    ")]
    lines += [f"  {_call(call)}" for call in node.closest] or ["  no topology was up on it"]
    lines += [f"  {_episode(episode)}" for episode in flight.episodes if episode.node == node.node]
    return [*lines, *_line(flight, node), *_table(node.samples)]


def _call(call: ClosestCall) -> str:
    return f"least left {gib(call.left_bytes):>6} GiB at {clock(call.t)}, {call.run or 'nothing up'}"


def _episode(episode: Episode) -> str:
    if episode.end is None:
        return f"warned from {clock(episode.start)} on"
    how = "its guard stopped what ran" if episode.ended == "stop" else "it was over"
    return f"warned from {clock(episode.start)} for {episode.end - episode.start:.1f} s, until {how}"


def _line(flight: Flight, node: NodeFlight) -> Iterator[str]:
    """Draw the memory left on one row, and below it the columns that were under a floor."""
    top = node.samples[-1].mem_total_bytes if node.samples else None
    window = flight.window
    yield f"  left  {clock(window.start)} {_spark(node.columns, top)} {clock(window.end)}"
    if marks := _under(node.columns, node.limits).rstrip():
        yield f"  {'':<15}{marks}"
    scale = "" if top is None else f"0 to {gib(top)} GiB"
    yield "  " + " · ".join(part for part in (scale, _floors(node)) if part)


def _spark(columns: Sequence[LeastLeftRow | None], top: int | None) -> str:
    return "".join(_step(None if column is None else column.left_bytes, top) for column in columns)


def _step(left: int | None, top: int | None) -> str:
    if left is None or not top:
        return GAP
    return STEPS[min(len(STEPS) - 1, left * len(STEPS) // top)]


def _under(columns: Sequence[LeastLeftRow | None], limits: Limits | None) -> str:
    if limits is None:
        return ""
    return "".join(GAP if column is None else _mark(column, limits) for column in columns)


def _mark(column: LeastLeftRow, limits: Limits) -> str:
    left = column.left_bytes
    stop = stop_floor(limits, column.phase)[0]
    if left is None or stop is None:
        return GAP
    return UNDER_STOP if left < stop else UNDER_WARN if left < limits.warn_bytes else GAP


def _floors(node: NodeFlight) -> str:
    if node.limits is None:
        return ""
    loading, serving = (gib(stop_floor(node.limits, phase)[0]) for phase in ("loading", "serving"))
    stops = loading if loading == serving else f"{loading} loading, {serving} serving"
    return f"! warns under {gib(node.limits.warn_bytes)} · ✗ stops under {stops}"


def _table(samples: Sequence[NodeSample]) -> Iterator[str]:
    rows = [_row(samples[: index + 1]) for index in range(max(0, len(samples) - ROWS), len(samples))]
    widths = [max(len(row[column]) for row in (*HEADS, *rows)) for column in range(len(HEADS[0]))]
    for row in (*HEADS, *rows):
        cells = (
            text.ljust(width) if at < 2 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {' '.join(cells)}".rstrip()


def _row(samples: Sequence[NodeSample]) -> tuple[str, ...]:
    last = samples[-1]
    rdma = [rate(samples, lambda s: s.rdma_rx_bytes), rate(samples, lambda s: s.rdma_tx_bytes)]
    both = None if None in rdma else sum(part for part in rdma if part is not None)
    return (
        f"{clock(last.t)}.{int(last.t * 10) % 10}",
        last.phase,
        gib(last.mem_available_bytes),
        gib(last.mem_free_bytes),
        gib(last.gpu_procs_bytes),
        gib(last.swap_used_bytes),
        number(last.psi_some_pct, ".1f"),
        number(rate(samples, lambda s: s.alloc_stalls), ".0f"),
        number(last.gpu_util_pct, ".0f"),
        number(last.power_w, ".0f"),
        number(last.temp_c, ".0f"),
        number(last.sm_mhz, ".0f"),
        number(both, ".2f", 1e9),
    )


def _log(marks: Sequence[Mark]) -> list[str]:
    if not marks:
        return []
    lines = ["warnings and errors"]
    for mark in marks:
        lines += _wrapped(f"{clock(mark.t)}  {mark.level}: {one_line(mark.text)}", "  ", " " * 12)
    return lines


def _wrapped(text: str, first: str = "", others: str = "  ") -> list[str]:
    filled = textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )
    return filled.splitlines() or [UNKNOWN]
