"""What the engines say of themselves, whether that agrees with what arrives, and this client's own proof."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sparktui.ui.live_values import STALE_INTERVALS, Engine
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, clipped, harmless, lines
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, percent, percent_of, whole

COLUMNS = (("running", 9), ("waiting", 9), ("KV", 8), ("preempted", 11), ("prefix", 8))
SHARE = ("requests", 10)
"""Where a router spreads them."""
NAME_COLUMNS = 10
STALE_S = STALE_INTERVALS * 1.0
"""The engines are asked once a second."""


class Engines(Panel):
    """A small table, one row a replica, with what they are and how they agree; without the room for it, two lines."""

    def __init__(self) -> None:
        super().__init__(id="engines", classes="box", title="engine")

    def show(self, snapshot: Snapshot) -> None:
        self.entitle(
            " · ".join(part for part in ("engine", harmless(snapshot.engine_facts)) if part), _agreement(snapshot)
        )
        super().show(snapshot)

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        engines, room = snapshot.engines, self.content_size.height
        if not engines:
            return lines([Content.styled("no word from the engine's metrics", "$dim"), _last(snapshot, width)][:room])
        if room < 3:
            return lines([_line(engines).truncate(width, ellipsis=True), _last(snapshot, width)])
        routed = any(engine.share is not None for engine in engines)
        columns = (*COLUMNS, SHARE) if routed else COLUMNS
        head = " " * NAME_COLUMNS + "".join(word.rjust(columns) for word, columns in columns)
        rows = [_row(engine, columns) for engine in engines[: room - 2]]
        return lines([Content.styled(head, "$dim"), *rows, _last(snapshot, width)])


def _last(snapshot: Snapshot, width: int) -> Content:
    """Say how this client does; where the engine's token counter is too far from what arrives here, that instead."""
    found = snapshot.agreement
    if found is None or not found.disagrees:
        return _client(snapshot).truncate(width, ellipsis=True)
    text = f"{whole(found.here)} tokens here, {whole(found.engine)} by the engine ({percent(found.off)})"
    return Content.styled(text, "bold $warning").truncate(width, ellipsis=True)


def _agreement(snapshot: Snapshot) -> str:
    found = snapshot.agreement
    return (
        "" if found is None or found.disagrees else f"its token count agrees with ours to {abs(found.off) * 100:.1f} %"
    )


def _row(engine: Engine, columns: Sequence[tuple[str, int]]) -> Content:
    name = clipped(harmless(engine.backend), NAME_COLUMNS - 1).ljust(NAME_COLUMNS)
    values = "".join(value.rjust(width) for value, (_, width) in zip(_values(engine), columns, strict=False))
    return Content.styled(name + values, "$dim" if engine.age_s > STALE_S else "")


def _line(engines: Sequence[Engine]) -> Content:
    parts: list[Part] = []
    for engine in engines:
        named = zip((word for word, _ in COLUMNS), _values(engine), strict=False)
        parts += ["   " if parts else "", clipped(harmless(engine.backend), NAME_COLUMNS)]
        parts += [part for word, value in named for part in ((f"  {word} ", "$dim"), value)]
    return Content.assemble(*parts)


def _values(engine: Engine) -> tuple[str, ...]:
    return (
        _count(engine.running),
        _count(engine.waiting),
        UNKNOWN if engine.kv_pct is None else f"{engine.kv_pct:.1f} %",
        _count(engine.preemptions),
        percent_of(engine.prefix_hit_share),
        percent_of(engine.share),
    )


def _count(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def _client(snapshot: Snapshot) -> Content:
    wave = snapshot.wave
    lag = None if wave is None or wave.lag_p99_us is None else wave.lag_p99_us / 1000
    cpu = None if wave is None else wave.worker_cpu
    return Content.assemble(
        ("this client", "$dim"),
        f"  stamps {UNKNOWN if lag is None else f'{lag:.2f}'} ms late",
        f" ({snapshot.clock})" if snapshot.clock else "",
        f" · {UNKNOWN if cpu is None else f'{cpu * 100:.0f}'} % CPU",
    )
