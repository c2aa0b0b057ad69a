"""The numbers of the moment: decode over all streams in large digits, and beside it a line for each other figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Digits, Static

from sparktui.live.values import Curve, Wave
from sparktui.measure.live import WINDOW_S
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import HEADROOM, bars, lines, spark
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, milliseconds, rate

DIGITS = 6
"""Characters of the large number; a constant count keeps the layout still."""
LABEL, VALUE, UNIT = 15, 6, 7
SPREAD, SHORT_SPREAD = 25, 11
LEAST_TREND = 4
WIDE = 64
"""From this width on there is room for the worst beside the 95th percentile."""


class Decode(Vertical):
    """Tokens per second over all streams: now in large, and beside that what the tables will say of this cell."""

    def __init__(self) -> None:
        super().__init__(id="decode", classes="box")
        self.border_title = "decode, all streams"
        self._digits = Digits(UNKNOWN.rjust(DIGITS), id="decode-digits")

    def compose(self) -> ComposeResult:
        with Horizontal(id="decode-now"):
            yield self._digits
            yield Static(f"now\n({WINDOW_S:.0f} s)\ntok/s", id="decode-unit", markup=False)
        yield DecodeTrend(id="decode-trend")

    def show(self, snapshot: Snapshot) -> None:
        wave = snapshot.wave
        value = None if wave is None else wave.decode_tps
        text = (UNKNOWN if value is None else f"{value:.1f}").rjust(DIGITS)
        if self._digits.value != text:
            self._digits.update(text)
        title = _title(None if wave is None else wave.concurrency)
        if self.border_title != title:
            self.border_title = title
        said = _so_far(wave)
        if self.border_subtitle != said:
            self.border_subtitle = said
        self.set_class(wave is None or wave.stale, "-stale")


def _title(streams: int | None) -> str:
    if streams is None:
        return "decode, all streams"
    return "decode, 1 stream" if streams == 1 else f"decode, all {streams} streams"


def _so_far(wave: Wave | None) -> str:
    return "" if wave is None else f"this cell so far {rate(wave.cell_decode_tps)} tok/s"


class DecodeTrend(Panel):
    """The large number's last minutes, in its topology's colour, as high as there is room.

    On one row it shares that with what the frame says where there is one: how this cell does so far.
    """

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        current, curve = snapshot.current, snapshot.trends.decode_tps
        style = snapshot.colour(current.name) if current is not None else "$dim"
        height, wave = max(1, self.content_size.height), snapshot.wave
        said = f"cell so far {rate(wave.cell_decode_tps):<6}" if wave is not None and height == 1 else ""
        rows = bars(curve.values, width - len(said), height, HEADROOM * curve.top)
        return lines([Content.assemble(said, (row, style)) for row in rows])


class Figures(Panel):
    """What a stream gets, first token, gaps between tokens, prefill, requests in flight: value, spread and trend."""

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        self.entitle(_each_so_far(snapshot.wave))
        style = "$dim" if snapshot.wave is None or snapshot.wave.stale else "bold"
        rows, room = list(_figures(snapshot)), self.content_size.height
        if room == len(rows) - 1:  # what is in flight has no row of its own
            rows[-2] = replace(rows[-2], spread=((rows[-1].label, rows[-1].value),))
        return lines([_row(figure, width, style) for figure in rows[:room]])

    def show(self, snapshot: Snapshot) -> None:
        super().show(snapshot)
        self.set_class(snapshot.wave is None or snapshot.wave.stale, "-stale")


def _each_so_far(wave: Wave | None) -> str:
    return "now" if wave is None else f"now · each stream, this cell so far {rate(wave.cell_stream_tps)} tok/s"


@dataclass(frozen=True, slots=True)
class _Figure:
    label: str
    value: str
    unit: str
    spread: tuple[tuple[str, str], ...]
    """Label and value each; the first is kept where there is no room for both."""
    trend: Curve
    whole: bool = False
    """Whether both are kept, at the expense of the trend."""
    held: bool = False
    """Whether it is the last that was known, and not of this moment."""


def _figures(snapshot: Snapshot) -> Iterator[_Figure]:
    wave, trends = snapshot.wave, snapshot.trends
    if wave is None:
        units = (
            ("each stream", "tok/s"),
            ("first token", "ms p50"),
            ("between tokens", "ms p50"),
            ("prefill", "tok/s"),
        )
        for label, unit in (*units, ("in flight", "")):
            yield _Figure(label, UNKNOWN, unit, (), Curve())
        return
    streams = (("p5", rate(wave.stream_p5_tps)), ("p95", rate(wave.stream_p95_tps)))
    label, held = ("each stream was", True) if wave.stream_held else ("each stream", False)
    yield _Figure(label, rate(wave.stream_p50_tps), "tok/s", streams, trends.stream_tps, whole=True, held=held)
    first = (("p95", milliseconds(wave.ttft_p95_ms)), ("worst", milliseconds(wave.ttft_max_ms)))
    yield _Figure("first token", milliseconds(wave.ttft_p50_ms), "ms p50", first, trends.ttft_p50_ms)
    between = (("p95", milliseconds(wave.itl_p95_ms)), ("worst", milliseconds(wave.itl_max_ms)))
    yield _Figure("between tokens", milliseconds(wave.itl_p50_ms), "ms p50", between, trends.itl_p50_ms)
    yield _Figure("prefill", rate(wave.prefill_tps), "tok/s", (), trends.prefilled_rps)
    yield _Figure("in flight", str(wave.in_flight), "", (("waiting", str(wave.waiting)),), trends.in_flight)


def _row(figure: _Figure, width: int, style: str) -> Content:
    columns = SPREAD if width >= WIDE else SHORT_SPREAD
    spread = _spread(figure.spread if width >= WIDE or figure.whole else figure.spread[:1], columns)
    room = max(0, width - LABEL - VALUE - UNIT - spread.cell_length)
    return Content.assemble(
        (figure.label.ljust(LABEL), "$dim"),
        (figure.value.rjust(VALUE), "$dim" if figure.held else style),
        (f" {figure.unit}".ljust(UNIT), "$dim"),
        spread,
        (spark(figure.trend.values, room, HEADROOM * figure.trend.top) if room >= LEAST_TREND else "", "$trend"),
    )


def _spread(pairs: tuple[tuple[str, str], ...], columns: int) -> Content:
    parts = [part for label, value in pairs for part in ((f" {label} ", "$dim"), value.ljust(6))]
    text = Content.assemble(*parts)
    return Content.assemble(text, " " * max(0, columns - text.cell_length))
