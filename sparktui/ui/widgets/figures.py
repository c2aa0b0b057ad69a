"""The numbers of the moment: decode over all streams in large digits, and beside it a line for each other figure."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Digits, Static

from sparktui.ui.snapshot import Series, Snapshot
from sparktui.ui.text import lines, spark
from sparktui.ui.themes import accent
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, milliseconds, rate

DIGITS = 6
"""Characters of the large number; a constant count keeps the layout still."""


class Decode(Vertical):
    """Tokens per second over all streams."""

    def __init__(self) -> None:
        super().__init__(id="decode", classes="box")
        self.border_title = "decode, all streams"
        self._digits = Digits(UNKNOWN.rjust(DIGITS), id="decode-digits")

    def compose(self) -> ComposeResult:
        with Horizontal(id="decode-now"):
            yield self._digits
            yield Static("\n\ntok/s", id="decode-unit", markup=False)
        yield DecodeTrend(id="decode-trend")

    def show(self, snapshot: Snapshot) -> None:
        wave = snapshot.wave
        value = None if wave is None else wave.decode_tps
        text = (UNKNOWN if value is None else f"{value:.1f}").rjust(DIGITS)
        if self._digits.value != text:
            self._digits.update(text)
        self.set_class(wave is None or wave.stale, "-stale")


class DecodeTrend(Panel):
    """The large number's last minute, in its topology's colour."""

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        current = snapshot.current
        style = accent(current.index) if current is not None else "$dim"
        return Content.styled(spark(snapshot.trends.decode_tps, width), style)


class Figures(Panel):
    """What a stream gets, first token, gaps between tokens, prefill: value, spread and trend."""

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        wave, trends = snapshot.wave, snapshot.trends
        stream, prefill = (wave.stream_tps, wave.prefill_tps) if wave else (None, None)
        ttft, ttft_p95 = (wave.ttft_p50_ms, wave.ttft_p95_ms) if wave else (None, None)
        itl, itl_p95 = (wave.itl_p50_ms, wave.itl_p95_ms) if wave else (None, None)
        style = "$dim" if wave is None or wave.stale else "bold"
        return lines(
            [
                _row("each stream", rate(stream), "tok/s", "", trends.stream_tps, width, style),
                _row("first token", milliseconds(ttft), "ms p50", _p95(ttft_p95), trends.ttft_p50_ms, width, style),
                _row("between tokens", milliseconds(itl), "ms p50", _p95(itl_p95), trends.itl_p50_ms, width, style),
                _row("prefill", rate(prefill), "tok/s", "", trends.prefilled_rps, width, style),
            ]
        )

    def show(self, snapshot: Snapshot) -> None:
        super().show(snapshot)
        self.set_class(snapshot.wave is None or snapshot.wave.stale, "-stale")


def _p95(value: float | None) -> str:
    return f"{milliseconds(value)} p95"


def _row(label: str, value: str, unit: str, extra: str, trend: Series, width: int, style: str) -> Content:
    room = width - 40
    return Content.assemble(
        (label.ljust(15), "$dim"),
        (value.rjust(6), style),
        (f" {unit}".ljust(7), "$dim"),
        extra.rjust(10),
        "  ",
        (spark(trend, room), "$trend"),
    )
