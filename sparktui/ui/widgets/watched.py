"""What `sparktui watch` shows: a line for the whole, a card an engine, a line a node."""

from __future__ import annotations

import textwrap

from textual.content import Content
from textual.widgets import Static

from sparktui.ui.text import Part, clock, harmless, lines, spark, spread, track
from sparktui.units import duration, gib, milliseconds, rate
from sparktui.watching.lines import celsius, count, percentage, watts
from sparktui.watching.picture import SIMULATED, EngineNow, NodeNow, Picture
from sparktui.watching.rates import KEEP_S, Figures

STALE_S = 3.0


class WatchPanel(Static):
    """A panel of text that repaints only when what it says has changed."""

    def __init__(self, *, id: str | None = None, title: str = "", classes: str | None = None) -> None:
        super().__init__(Content(), markup=False, id=id, classes=classes)
        self.border_title = title
        self._picture: Picture | None = None
        self._drawn = Content()

    def draw(self, picture: Picture, width: int) -> Content:
        """Return what to say in `width` columns."""
        raise NotImplementedError

    def show(self, picture: Picture) -> None:
        """Take a new picture and repaint if it says something else."""
        self._picture = picture
        width = self.content_size.width
        if width <= 0:
            return
        content = self.draw(picture, width)
        if not content.is_same(self._drawn):
            self._drawn = content
            self.update(content, layout=False)

    def on_resize(self) -> None:
        if self._picture is not None:
            self.show(self._picture)


class WatchHead(WatchPanel):
    """One line: what is watched, and when."""

    def __init__(self) -> None:
        super().__init__(id="masthead")

    def draw(self, picture: Picture, width: int) -> Content:
        up = sum(engine.mute or not engine.down for engine in picture.engines)
        answering = f"{up} of {len(picture.engines)} answering"
        mark = (f" {picture.mark} ", "bold reverse $simulated") if picture.mark else ""
        gap = "  " if picture.mark else ""
        left = Content.assemble(mark, gap, ("sparktui watch", "bold $accent"), (f"  {answering}", "$dim"))
        return spread(left, Content.styled(f"{clock(picture.taken)}  no load of ours", "$dim"), width)


class AllEngines(WatchPanel):
    """What the engines that answer do together."""

    def __init__(self) -> None:
        super().__init__(id="all", classes="box", title="all")

    def draw(self, picture: Picture, width: int) -> Content:
        title = f"all · {picture.mark}" if picture.mark else "all"
        if title != self.border_title:
            self.border_title = title
        return _figures(picture.all, (), width)


class WatchedEngine(WatchPanel):
    """One engine; dim, with the reason, while it does not answer."""

    def __init__(self, index: int) -> None:
        super().__init__(classes="box engine")
        self._index = index
        self._titles = ("", "")

    def show(self, picture: Picture) -> None:
        engine = picture.engines[self._index]
        self._entitle(_title(engine), "" if engine.restarts == 0 else f"began anew: {engine.restarts}")
        self.set_class(engine.trouble == "down", "-down")
        self.set_class(bool(engine.down) or (engine.age_s or 0.0) > STALE_S, "-stale")
        super().show(picture)

    def _entitle(self, title: str, subtitle: str) -> None:
        """Set what stands in the frame, as text and not as markup; it is painted again only where that changes."""
        if (title, subtitle) != self._titles:
            self._titles = title, subtitle
            self.border_title, self.border_subtitle = Content(title), Content(subtitle)

    def draw(self, picture: Picture, width: int) -> Content:
        engine = picture.engines[self._index]
        if engine.down:
            return lines([Content.styled(line, "$warning") for line in textwrap.wrap(harmless(engine.down), width)])
        now = picture.now - min(engine.age_s or 0.0, 1.0)
        trend = engine.decode_series(now, KEEP_S, int(KEEP_S))
        return _figures(engine.figures, tuple(trend), width)


class WatchedNodes(WatchPanel):
    """One line a node."""

    def __init__(self) -> None:
        super().__init__(id="watched-nodes", classes="box", title="nodes")

    def show(self, picture: Picture) -> None:
        rows = len(picture.nodes) + self.outer_size.height - self.content_size.height
        if self.outer_size.height and (self.styles.height is None or self.styles.height.value != rows):
            self.styles.height = rows
        super().show(picture)

    def draw(self, picture: Picture, width: int) -> Content:
        return lines([_node(node, width) for node in picture.nodes])


def _title(engine: EngineNow) -> str:
    name = harmless(f"{SIMULATED} · {engine.name}" if engine.simulated else engine.name)
    if not engine.down:
        return name if engine.name in engine.url else f"{name} · {engine.url}"
    silent = "" if engine.age_s is None else f", silent for {duration(engine.age_s)}"
    return f"{name} · {engine.trouble}{silent}"


def _figures(figures: Figures, trend: tuple[float | None, ...], width: int) -> Content:
    decode = Content.assemble(
        ("decode ", "$dim"), (rate(figures.decode_tps, 7), "bold"), (" tok/s   prefill ", "$dim"),
        rate(figures.prefill_tps, 7), (" tok/s", "$dim"),
    )  # fmt: skip
    curve = Content.styled(spark(trend, max(0, width - decode.cell_length - 2)), "$trend")
    rows = [
        spread(decode, curve, width) if curve.cell_length else decode,
        _row(
            ("running", count(figures.running)), ("waiting", count(figures.waiting)), ("KV", percentage(figures.kv_pct))
        ),
        _latency(figures, width),
        _row(("preempted", count(figures.preemptions)), ("prefix hits", _hits(figures))),
    ]
    return lines([row.truncate(width, ellipsis=True) for row in rows])


def _row(*named: tuple[str, str]) -> Content:
    parts: list[Part] = []
    for name, value in named:
        parts += [(f"{name} ", "$dim"), value.ljust(8)]
    return Content.assemble(*parts)


def _latency(figures: Figures, width: int) -> Content:
    """Return both latencies, with a word for each quantile where there is room: no value stands without its unit."""
    said: list[Part] = []
    short: list[Part] = []
    for title, name in (("TTFT", "ttft"), ("ITL", "itl")):
        p50, p95 = (milliseconds(figures.milliseconds(name, share)) for share in (0.5, 0.95))
        said += [(f"{title} p50 ", "$dim"), p50, ("  p95 ", "$dim"), p95, (" ms   ", "$dim")]
        short += [(f"{title} ", "$dim"), p50, (" / ", "$dim"), p95, (" ms  ", "$dim")]
    rows = [Content.assemble(*parts).rstrip() for parts in (said, [*short, ("p50 / p95", "$dim")], short)]
    return next((row for row in rows if row.cell_length <= width), rows[-1])


def _hits(figures: Figures) -> str:
    share = figures.prefix_hit_share
    return percentage(None if share is None else 100 * share)


def _node(node: NodeNow, width: int) -> Content:
    name = f"{harmless(node.name)}  "
    sample = node.sample
    if sample is None or node.why_not:
        return Content.assemble(name, (f"not watched: {harmless(node.why_not)}", "$dim")).truncate(width, ellipsis=True)
    left, total = sample.mem_available_bytes, sample.mem_total_bytes
    figures = Content.assemble(
        f"  GPU holds {gib(sample.gpu_procs_bytes)} GiB  {watts(sample.power_w)}  {celsius(sample.temp_c)}"
    )
    label = Content.assemble((name, "bold"), ("left ", "$dim"), f"{gib(left, 6)} GiB ")
    room = max(0, width - label.cell_length - figures.cell_length)
    full, rest = track((left or 0) / total if total else 0.0, room)
    stale = (node.age_s or 0.0) > STALE_S
    return Content.assemble(label, (full, "$dim" if stale else "$accent"), (rest, "$line"), figures)
