"""The load worker's pictures as rates: what the wave in flight is doing now, and the last minutes of it."""

from __future__ import annotations

from collections import deque

from sparktui.measure.live import WINDOW_S, Point, rate
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow, LiveRow, SweepRow
from sparktui.ui.snapshot import Trends, Wave
from sparktui.ui.trend import KEPT_S, Trend

ROWS_PER_S = 4
POINTS_KEPT = 64
"""Several times the window of a live rate."""


class LiveFeed:
    """Follows the pictures of one campaign, from cell to cell."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self._reader = reader
        self._campaign = campaign
        self._last: LiveRow | None = None
        self._token_points: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._prefill_points: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._active_points: deque[Point] = deque(maxlen=POINTS_KEPT)
        self._decode, self._stream, self._prefilled, self._ttft, self._itl = (Trend() for _ in range(5))

    @property
    def position(self) -> tuple[int, int, bool] | None:
        """Cell, wave and whether it is a warm-up, of the newest picture."""
        return None if self._last is None else (self._last.cell, self._last.wave_seq, self._last.warmup)

    @property
    def arrived(self) -> deque[Point]:
        """The tokens that have arrived, from picture to picture."""
        return self._token_points

    def read(self) -> None:
        """Take the pictures that are new."""
        newest = self._reader.latest_live(self._campaign)
        if newest is None:
            return
        after = self._last.id if self._last else max(0, newest.id - KEPT_S * ROWS_PER_S)
        for row in self._reader.live_since(newest.cell, after):
            self._remember(row)

    def _remember(self, row: LiveRow) -> None:
        self._last = row
        self._token_points.append((row.t, row.progress.tokens))
        self._prefill_points.append((row.t, row.progress.prefilled))
        decode = rate(self._token_points, row.t)
        self._active_points.append((row.t, row.progress.active))
        self._decode.add(row.t, decode)
        self._stream.add(row.t, self._each(decode, row.t))
        self._prefilled.add(row.t, rate(self._prefill_points, row.t))
        self._ttft.add(row.t, row.progress.ttft_p50_ms)
        self._itl.add(row.t, row.progress.itl_p50_ms)

    def _each(self, decode_tps: float | None, now: float) -> float | None:
        """Share a rate among the streams that were decoding over the same seconds, not those that happen to be now."""
        recent = [active for t, active in self._active_points if t > now - WINDOW_S] or [self._active_points[-1][1]]
        streams = sum(recent) / len(recent)
        return None if decode_tps is None or streams < 1 else decode_tps / streams

    def wave(self, now: float, measuring: tuple[SweepRow, CellRow] | None) -> Wave | None:
        """Return the wave in flight; None while no cell is being measured or nothing was heard of it yet."""
        row = self._last
        if measuring is None or row is None or row.cell != measuring[1].id:
            return None
        (sweep, cell), seen = measuring, row.progress
        decode, prefilled = rate(self._token_points, now), rate(self._prefill_points, now)
        return Wave(
            topology=sweep.topology,
            concurrency=cell.concurrency,
            number=row.wave_seq + 1,
            runs=cell.runs,
            shape=cell.shape,
            warmup=row.warmup,
            age_s=max(0.0, now - row.t),
            decode_tps=decode,
            stream_tps=self._each(decode, now),
            prefill_tps=None if prefilled is None else prefilled * cell.pp,
            slots=seen.slots,
            ttft_p50_ms=seen.ttft_p50_ms,
            ttft_p95_ms=seen.ttft_p95_ms,
            itl_p50_ms=seen.itl_p50_ms,
            itl_p95_ms=seen.itl_p95_ms,
            lag_p99_us=seen.lag_p99_us,
            worker_cpu=seen.worker_cpu,
        )

    def trends(self, now: float) -> Trends:
        """Return the last minutes."""
        return Trends(
            decode_tps=self._decode.series(now),
            stream_tps=self._stream.series(now),
            prefilled_rps=self._prefilled.series(now),
            ttft_p50_ms=self._ttft.series(now),
            itl_p50_ms=self._itl.series(now),
        )
