"""A campaign's rows as what the recorder goes by: what was up when, what was told, and the floors that held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sparktui.nodes.guard import Limits, stop_floor
from sparktui.nodes.history import Mark, Run, moment_of
from sparktui.nodes.phase import Phase
from sparktui.nodes.verdict import Verdict, limits
from sparktui.profile.model import Profile
from sparktui.store.rows import CellRow, EventRow, SweepNodeRow, SweepRow
from sparktui.units import GIB, UNKNOWN
from sparktui.unreadable import UNREADABLE


def marks(events: Iterable[EventRow]) -> tuple[Mark, ...]:
    """Return the log, each line at the moment it speaks of; a line about the past may come after younger ones."""
    return tuple(
        Mark(moment_of(event.data, event.t), event.level, event.source, event.kind, event.text) for event in events
    )


def runs(sweeps: Sequence[SweepRow], cells: Mapping[int, Sequence[CellRow]]) -> tuple[Run, ...]:
    """Return what was up and when: each topology that was launched, and each of its levels that was measured."""
    return tuple(_runs(sweeps, cells))


def _runs(sweeps: Sequence[SweepRow], cells: Mapping[int, Sequence[CellRow]]) -> Iterator[Run]:
    for sweep in sweeps:
        if sweep.launched is not None:
            yield Run(sweep.topology, sweep.launched, sweep.stopped)
        for cell in cells.get(sweep.id, ()):
            if cell.started is not None:
                yield Run(sweep.topology, cell.started, cell.ended or sweep.stopped, cell.concurrency)


@dataclass(frozen=True, slots=True)
class Floors:
    """Under what a campaign's guards warned and stopped."""

    profile: Profile | None
    """None of an imported campaign: then nothing held."""
    verdicts: Mapping[tuple[str, str], Verdict]
    """By topology and node, what was said before the launch: loading was to end at what it predicted."""

    @classmethod
    def of(cls, profile: Profile | None, sweeps: Iterable[SweepRow], rows: Iterable[SweepNodeRow]) -> Floors:
        """Return the floors of a campaign; a verdict of another version of this program is passed over."""
        names = {sweep.id: sweep.topology for sweep in sweeps}
        found = {(names[row.sweep], row.node): _verdict(row.verdict) for row in rows if row.sweep in names}
        return cls(profile, {key: verdict for key, verdict in found.items() if verdict is not None})

    def fragile(self, node: str) -> bool:
        """Tell whether a node was marked as one that freezes."""
        return self.profile is not None and node in self.profile.nodes and self.profile.nodes[node].fragile

    def limits(self, node: str, run: Run | None) -> Limits | None:
        """Return what a node's guard went by while something was up; None where there was none."""
        if self.profile is None or node not in self.profile.nodes:
            return None
        return limits(self.profile, node, None if run is None else self.verdicts.get((run.topology, node)))

    def words(self, node: str, run: Run | None) -> str:
        """Say under what a node's guard acts, and when which of it holds; empty where there is no guard."""
        held = self.limits(node, run)
        if held is None or self.profile is None:
            return ""
        marked = "marked fragile: " if self.fragile(node) else ""
        launch = f"a launch must leave {self.profile.floors(node).refuse_gib:g} GiB"
        loading, serving = _size(stop_floor(held, "loading")[0]), _size(held.serving_stop_bytes)
        stops = f"stops under {loading} loading{_expected(held)}, {serving} serving"
        return f"{marked}{launch}; {stops}; warns at {_size(held.warn_bytes)}"

    def at(self, node: str, run: Run | None, phase: Phase) -> tuple[int | None, int | None]:
        """Return the bytes of MemAvailable under which a node was warned about, and stopped, in a phase."""
        held = self.limits(node, run)
        return (None, None) if held is None else (held.warn_bytes, stop_floor(held, phase)[0])


def _expected(held: Limits) -> str:
    """Say where the floor of loading comes from, where that is not the profile."""
    if stop_floor(held, "loading")[1] != "predicted":
        return ""
    return f" ({_size(held.predicted_left_bytes)} expected, less {_size(held.predicted_margin_bytes)})"


def _size(size_bytes: int | None) -> str:
    return UNKNOWN if size_bytes is None else f"{round(size_bytes / GIB, 1):g}"


def _verdict(text: str | None) -> Verdict | None:
    try:
        return None if text is None else msgspec.json.decode(text, type=Verdict)
    except UNREADABLE:
        return None
