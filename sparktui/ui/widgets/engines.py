"""What the engines say of themselves, and this client's proof that it does not disturb them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sparktui.ui.snapshot import STALE_INTERVALS, Engine, Snapshot
from sparktui.ui.text import Part, clipped, harmless, lines
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, percent, whole

COLUMNS = (("running", 9), ("waiting", 9), ("KV", 9), ("preempted", 11), ("prefix", 8))
NAME_COLUMNS = 10
STALE_S = STALE_INTERVALS * 1.0
"""The engines are asked once a second."""


class Engines(Panel):
    """A small table, one row a replica, and the client's line under it; without the room for a heading, one line."""

    def __init__(self) -> None:
        super().__init__(id="engines", classes="box", title="engine")

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        last = _client(snapshot) if _agrees(snapshot) else _apart(snapshot)
        room = self.content_size.height
        if not snapshot.engines:
            return lines([Content.styled("no word from the engine's metrics", "$dim"), last])
        if room < 3:
            return lines([_line(snapshot.engines), last])
        head = " " * NAME_COLUMNS + "".join(word.rjust(columns) for word, columns in COLUMNS)
        rows = [_row(engine) for engine in snapshot.engines[: room - 2]]
        return lines([Content.styled(head, "$dim"), *rows, last])


def _agrees(snapshot: Snapshot) -> bool:
    return snapshot.agreement is None or not snapshot.agreement.disagrees


def _apart(snapshot: Snapshot) -> Content:
    """Say, in the client's place, that the engine's token counter and this client's are too far apart."""
    found = snapshot.agreement
    assert found is not None
    text = f"{whole(found.here)} tokens here, {whole(found.engine)} by the engine ({percent(found.off)})"
    return Content.styled(text, "bold $warning")


def _row(engine: Engine) -> Content:
    name = clipped(harmless(engine.backend), NAME_COLUMNS - 1).ljust(NAME_COLUMNS)
    values = "".join(value.rjust(columns) for value, (_, columns) in zip(_values(engine), COLUMNS, strict=True))
    return Content.styled(name + values, "$dim" if engine.age_s > STALE_S else "")


def _line(engines: Sequence[Engine]) -> Content:
    parts: list[Part] = []
    for engine in engines:
        named = zip((word for word, _ in COLUMNS), _values(engine), strict=True)
        parts += ["   " if parts else "", clipped(harmless(engine.backend), NAME_COLUMNS)]
        parts += [part for word, value in named for part in ((f"  {word} ", "$dim"), value)]
    return Content.assemble(*parts)


def _values(engine: Engine) -> tuple[str, ...]:
    return (
        _count(engine.running),
        _count(engine.waiting),
        UNKNOWN if engine.kv_pct is None else f"{engine.kv_pct:.1f} %",
        _count(engine.preemptions),
        UNKNOWN if engine.prefix_hit_share is None else f"{engine.prefix_hit_share * 100:.0f} %",
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
