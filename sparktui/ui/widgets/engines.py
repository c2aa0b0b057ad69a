"""What the engines say of themselves, whether that agrees with what arrives, and this client's own proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from sparktui.live.values import STALE_INTERVALS, Engine
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, clipped, harmless, lines, squeezed
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, percent, percent_of, whole

NAME_COLUMNS = 10
SHARE = "requests"
"""Where a router spreads them."""
FULL = {
    "name": ("", NAME_COLUMNS),
    "running": ("running", 9),
    "waiting": ("waiting", 9),
    "KV": ("KV", 8),
    "preempted": ("preempted", 11),
    "prefix": ("prefix", 8),
    SHARE: ("requests", 10),
}
SHORT = {
    "name": ("", 8),
    "running": ("run", 5),
    "waiting": ("wait", 6),
    "KV": ("KV", 8),
    "preempted": ("preempted", 10),
    "prefix": ("prefix", 7),
    SHARE: ("requests", 9),
}
FORMS = (FULL, SHORT, {title: column for title, column in SHORT.items() if title != "prefix"})
"""Title and width of each column, the widest form first."""
LINE_FORMS = (
    {title: title for title in FULL if title not in ("name", SHARE)},
    {"running": "run", "waiting": "wait", "KV": "KV", "preempted": "preempted"},
    {"running": "run", "waiting": "wait", "KV": "KV"},
    {"running": "run", "waiting": "wait"},
)
"""What is said of each engine where all share a line, and how it is called there."""
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
            return lines([_line(engines, width), _last(snapshot, width)])
        columns = _columns(width, routed=any(engine.share is not None for engine in engines))
        head = "".join(column.title.rjust(column.width) for column in columns)
        rows = [_row(engine, columns) for engine in engines[: room - 2]]
        return lines([Content.styled(head, "$dim"), *rows, _last(snapshot, width)])


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    width: int
    value: Callable[[Engine], str]


def _columns(width: int, *, routed: bool) -> tuple[_Column, ...]:
    """Return the columns in the widest form that fits; the narrowest leaves out what the log tells of every cell."""
    titles = [title for title in FORMS[0] if title != SHARE or routed]
    forms = (tuple(_Column(*form[title], VALUES[title]) for title in titles if title in form) for form in FORMS)
    return next((form for form in forms if sum(column.width for column in form) <= width), ())


def _last(snapshot: Snapshot, width: int) -> Content:
    """Say how this client does; where the engine's token counter is too far from what arrives here, that instead."""
    found = snapshot.agreement
    if found is None or not found.disagrees:
        said = _client(snapshot)
        return said if said.cell_length <= width else _client(snapshot, short=True).truncate(width, ellipsis=True)
    text = f"{whole(found.here)} tokens here, {whole(found.engine)} by the engine ({percent(found.off)})"
    return Content.styled(text, "bold $warning").truncate(width, ellipsis=True)


def _agreement(snapshot: Snapshot) -> str:
    found = snapshot.agreement
    return (
        "" if found is None or found.disagrees else f"its token count agrees with ours to {abs(found.off) * 100:.1f} %"
    )


def _row(engine: Engine, columns: Sequence[_Column]) -> Content:
    if not columns:
        return Content()
    name, *others = columns
    values = "".join(column.value(engine).rjust(column.width) for column in others)
    said = squeezed(name.value(engine), name.width - 1).ljust(name.width) + values
    return Content.styled(said, "$dim" if engine.age_s > STALE_S else "")


def _line(engines: Sequence[Engine], width: int) -> Content:
    """Return every engine on one line, with as much of each as there is room for; of too many their number."""
    lines = (_named(engines, titles) for titles in LINE_FORMS)
    many = f"{len(engines)} engines: there is room for them on a larger screen"
    return next((line for line in lines if line.cell_length <= width), Content(many))


def _named(engines: Sequence[Engine], titles: Mapping[str, str]) -> Content:
    parts: list[Part] = []
    for engine in engines:
        parts += ["   " if parts else "", clipped(harmless(engine.backend), NAME_COLUMNS)]
        parts += [part for title, said in titles.items() for part in ((f"  {said} ", "$dim"), VALUES[title](engine))]
    return Content.assemble(*parts)


def _count(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


VALUES: dict[str, Callable[[Engine], str]] = {
    "name": lambda engine: harmless(engine.backend),
    "running": lambda engine: _count(engine.running),
    "waiting": lambda engine: _count(engine.waiting),
    "KV": lambda engine: UNKNOWN if engine.kv_pct is None else f"{engine.kv_pct:.1f} %",
    "preempted": lambda engine: _count(engine.preemptions),
    "prefix": lambda engine: percent_of(engine.prefix_hit_share),
    SHARE: lambda engine: percent_of(engine.share),
}


def _client(snapshot: Snapshot, *, short: bool = False) -> Content:
    wave = snapshot.wave
    lag = None if wave is None or wave.lag_p99_us is None else wave.lag_p99_us / 1000
    cpu = None if wave is None else wave.worker_cpu
    return Content.assemble(
        ("client" if short else "this client", "$dim"),
        f"  stamps {UNKNOWN if lag is None else f'{lag:.2f}'} ms late",
        f" ({snapshot.clock})" if snapshot.clock and not short else "",
        f" · {UNKNOWN if cpu is None else f'{cpu * 100:.0f}'} % CPU",
    )
