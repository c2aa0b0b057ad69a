"""The load worker's pictures as rates: what the wave in flight is doing now, and the last minutes of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from sparktui.live.so_far import CellSoFar
from sparktui.live.trend import KEPT_S, Trend
from sparktui.live.values import NO_TRENDS, Trends, Wave
from sparktui.measure.live import Point, rate
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow, LiveRow, SweepRow

ROWS_PER_S = 4
ROWS_KEPT = KEPT_S * ROWS_PER_S
"""What a viewer that comes late reads: no figure of the moment is from before, however long somebody has looked."""
POINTS_KEPT = 64
"""Several times the window of a live rate."""

Position = tuple[int, int, bool]
"""Cell, wave and whether it is a warm-up."""


class Streams(NamedTuple):
    """What each stream does, over those that decode."""

    row: int
    """The id of the picture."""
    p5_tps: float | None
    p50_tps: float | None
    p95_tps: float | None


class LiveFeed:
    """Follows the pictures of one campaign, from cell to cell."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self._reader = reader
        self._campaign = campaign
        self._so_far = CellSoFar(reader)
        self._last: LiveRow | None = None
        self._sweep: int | None = None
        self._wave_since = 0.0
        self._worst_itl_ms: float | None = None
        self._streams: Streams | None = None
        self._token_points: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._prefill_points: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._decode, self._stream, self._prefilled, self._ttft, self._itl, self._in_flight = (
            Trend() for _ in range(6)
        )

    @property
    def position(self) -> Position | None:
        """Where the newest picture was taken."""
        return None if self._last is None else _position(self._last)

    @property
    def arrived(self) -> deque[Point]:
        """The tokens that have arrived, from picture to picture."""
        return self._token_points

    def read(self) -> None:
        """Take the pictures that are new."""
        newest = self._reader.latest_live(self._campaign)
        if newest is None:
            return
        after = self._last.id if self._last else max(0, newest.id - ROWS_KEPT)
        for cell in self._cells_up_to(newest.cell):
            for row in self._reader.live_since(cell, after):
                self._begin(row)
                self._remember(row)

    def _cells_up_to(self, newest: int) -> Sequence[int]:
        """Return whose pictures are new: where another cell has begun, those of its topology, the last one's end too.

        Of another topology nothing is kept: its history would be drawn in this one's colour.
        """
        if self._last is not None and self._last.cell == newest:
            return (newest,)
        sweep = self._reader.cell(newest).sweep
        if sweep != self._sweep:
            self._sweep = sweep
            self._forget()
        begun = [(cell.started, cell.id) for cell in self._reader.cells(sweep) if cell.started is not None]
        return [*(cell for _, cell in sorted(begun) if cell != newest), newest]

    def _forget(self) -> None:
        for points in (self._token_points, self._prefill_points):
            points.clear()
        for trend in self._trends:
            trend.clear()

    def _begin(self, row: LiveRow) -> None:
        """Forget what is true of one wave only, or of one cell only, where another begins."""
        before, now = self.position, _position(row)
        if before != now:
            self._wave_since, self._worst_itl_ms = row.t, None
        if before is None or before[0] != now[0]:
            self._streams = None
            for trend in self._trends:
                trend.fit()

    @property
    def _trends(self) -> tuple[Trend, ...]:
        return (self._decode, self._stream, self._prefilled, self._ttft, self._itl, self._in_flight)

    def _remember(self, row: LiveRow) -> None:
        seen = row.progress
        self._last = row
        self._worst_itl_ms = max(self._worst_itl_ms or 0.0, seen.itl_max_ms or 0.0) or None
        self._streams = _streams(row) or self._streams
        self._token_points.append((row.t, seen.tokens))
        self._prefill_points.append((row.t, seen.prefilled))
        self._decode.add(row.t, rate(self._token_points, row.t))
        self._stream.add(row.t, seen.stream_p50_tps)
        self._prefilled.add(row.t, rate(self._prefill_points, row.t))
        self._ttft.add(row.t, seen.ttft_p50_ms)
        self._itl.add(row.t, seen.itl_p50_ms)
        self._in_flight.add(row.t, seen.waiting + seen.prefill + seen.active)

    def wave(self, now: float, measuring: tuple[SweepRow, CellRow] | None) -> Wave | None:
        """Return the wave in flight; None while no cell is being measured or nothing was heard of it yet."""
        row = self._last
        if measuring is None or row is None or row.cell != measuring[1].id:
            return None
        (sweep, cell), seen, so_far = measuring, row.progress, self._so_far.read(measuring[1])
        prefilled = rate(self._prefill_points, now)
        streams = self._streams
        if streams is None or streams.row <= row.id - ROWS_KEPT:
            streams = Streams(row.id, None, None, None)
        return Wave(
            topology=sweep.topology,
            concurrency=cell.concurrency,
            number=row.wave_seq + 1,
            runs=cell.runs,
            shape=cell.shape,
            warmup=row.warmup,
            age_s=max(0.0, now - row.t),
            running_s=max(0.0, now - self._wave_since),
            decode_tps=rate(self._token_points, now),
            stream_p5_tps=streams.p5_tps,
            stream_p50_tps=streams.p50_tps,
            stream_p95_tps=streams.p95_tps,
            stream_held=streams.row < row.id,
            prefill_tps=None if prefilled is None else prefilled * cell.pp,
            in_flight=seen.waiting + seen.prefill + seen.active,
            waiting=seen.waiting,
            slots=seen.slots,
            ttft_p50_ms=seen.ttft_p50_ms,
            ttft_p95_ms=seen.ttft_p95_ms,
            ttft_max_ms=seen.ttft_max_ms,
            itl_p50_ms=seen.itl_p50_ms,
            itl_p95_ms=seen.itl_p95_ms,
            itl_max_ms=self._worst_itl_ms,
            lag_p99_us=seen.lag_p99_us,
            worker_cpu=seen.worker_cpu,
            cell_waves=so_far.waves,
            cell_decode_tps=so_far.decode_tps,
            cell_stream_tps=so_far.stream_tps,
        )

    def trends(self, now: float, up: SweepRow | None) -> Trends:
        """Return the last minutes; nothing while another topology than theirs is up."""
        if up is not None and up.id != self._sweep:
            return NO_TRENDS
        return Trends(
            decode_tps=self._decode.curve(now),
            stream_tps=self._stream.curve(now),
            prefilled_rps=self._prefilled.curve(now),
            ttft_p50_ms=self._ttft.curve(now),
            itl_p50_ms=self._itl.curve(now),
            in_flight=self._in_flight.curve(now),
        )


def _streams(row: LiveRow) -> Streams | None:
    """Return a picture's; None where no stream has decoded for long enough to have a rate."""
    seen = row.progress
    if seen.stream_p50_tps is None:
        return None
    return Streams(row.id, seen.stream_p5_tps, seen.stream_p50_tps, seen.stream_p95_tps)


def _position(row: LiveRow) -> Position:
    return row.cell, row.wave_seq, row.warmup
