"""What the engines behind one topology say of themselves: as it is now, and over the cell being measured."""

from __future__ import annotations

from collections import deque

from sparktui.measure.agreement import Agreement, in_flight
from sparktui.measure.live import Point
from sparktui.nodes.order import by_number
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow, ServerSampleRow
from sparktui.ui.snapshot import Engine

POINTS_KEPT = 32
"""Of one a second: several times the window in which counts are compared."""
ONE_LOOK_S = 0.5
"""Within which all engines are asked, once a second: a sum over two looks is none."""


class EngineFeed:
    """Follows the engines of one sweep."""

    def __init__(self, reader: Reader, sweep: int) -> None:
        self.sweep = sweep
        self._reader = reader
        self._cell: int | None = None
        self._last = 0
        self._latest: dict[str, ServerSampleRow] = {}
        self._before: dict[str, ServerSampleRow] = {}
        """Each engine's last word before the cell began."""
        self._generated: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._shares: dict[str, int] = {}
        self._shared: tuple[int, int] | None = None
        """The cell, and how many waves of it, that the shares are of."""

    def read(self, cell: CellRow | None, waves: int = 0) -> None:
        """Take the samples that are new; `cell` is the one being measured, and has so many waves by now."""
        if cell is not None and cell.id != self._cell:
            self._cell, self._before = cell.id, dict(self._latest)
        if cell is not None and (cell.id, waves) != self._shared:
            self._shares, self._shared = self._reader.backend_shares(cell.id), (cell.id, waves)
        for sample in self._reader.server_samples_since(self.sweep, self._last):
            self._take(sample)
            if cell is not None and cell.started is not None and sample.t <= cell.started:
                self._before[sample.backend] = sample

    def engines(self, now: float) -> tuple[Engine, ...]:
        """Return each engine's account of itself."""
        return tuple(self._engine(self._latest[name], now) for name in sorted(self._latest, key=by_number))

    def agreement(self, arrived: deque[Point]) -> Agreement | None:
        """Compare the engines' token counters of late with the tokens that have arrived here."""
        return in_flight(self._generated, arrived)

    def _take(self, sample: ServerSampleRow) -> None:
        self._last = sample.id
        if sample.backend not in self._latest:
            self._generated.clear()  # what one engine generated before it was first heard of is no sudden burst
        self._latest[sample.backend] = sample
        if all(abs(sample.t - other.t) < ONE_LOOK_S for other in self._latest.values()):
            self._add_up(sample.t)

    def _add_up(self, t: float) -> None:
        counts = [sample.figures.generation_tokens for sample in self._latest.values()]
        known = [count for count in counts if count is not None]
        if len(known) == len(counts):
            self._generated.append((t, round(sum(known))))

    def _engine(self, sample: ServerSampleRow, now: float) -> Engine:
        figures, before = sample.figures, self._before.get(sample.backend)
        requests = sum(self._shares.values())
        return Engine(
            backend=sample.backend,
            age_s=max(0.0, now - sample.t),
            running=figures.running,
            waiting=figures.waiting,
            kv_pct=figures.kv_pct,
            preemptions=_since(figures.preemptions, before.figures.preemptions if before else None),
            prefix_hit_share=_share(
                _since(figures.prefix_hits, before.figures.prefix_hits if before else None),
                _since(figures.prefix_queries, before.figures.prefix_queries if before else None),
            ),
            share=self._shares.get(sample.backend, 0) / requests if requests else None,
        )


def _since(now: float | None, before: float | None) -> float | None:
    return None if now is None else now if before is None or now < before else now - before


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
