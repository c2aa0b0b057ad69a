"""The panels of the Nodes screen: a strip a node, what was up and told, and the sample that is looked at in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap

from textual.containers import Container
from textual.content import Content

from sparktui.nodes.history import Mark
from sparktui.recorder.readings import Reading
from sparktui.ui.nodes_view import NodesView, Strip
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.strip import draw_strip
from sparktui.ui.text import clock, harmless, lines
from sparktui.ui.timeline import MARKS, draw_timeline
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, duration, gib

GAP = "  "
"""Between two readings on one line."""
TOLD_INDENT = 11
"""Columns of a line of the log before its text."""
SILENT_S = 5.0
"""By how much a node's last sample may be older than the newest of all, before its time is told."""
MANY = 3
"""From this many nodes on only one of them has its sample in full on the screen."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the panels draw."""

    view: NodesView
    cursor: int | None = None
    """The column looked at."""
    node: str = ""
    """Whose sample is looked at."""
    topologies: tuple[str, ...] = ()
    """All of the race, in their order."""

    def strip(self, node: str) -> Strip | None:
        """Return a node's strip."""
        return next((strip for strip in self.view.strips if strip.node == node), None)


class ScenePanel(Panel):
    """Draws a scene; the snapshot that it came with matters to the masthead alone."""

    _scene: Scene | None = None

    def tell(self, scene: Scene | None) -> None:
        """Show another scene, or that there is none yet."""
        if scene != self._scene:
            self._scene = scene
            self._redraw()

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        return Content() if self._scene is None else self.write(self._scene, width)

    def write(self, scene: Scene, width: int) -> Content:
        """Return what to say of a scene in `width` columns."""
        raise NotImplementedError


class Words(ScenePanel):
    """The last words of nodes that were stopped or lost; nothing where all is well."""

    grows = True

    def tell(self, scene: Scene | None) -> None:
        self.display = scene is not None and bool(scene.view.words)
        super().tell(scene)
        if self.display and self.content_size.height != len(self._lines):  # a layout that went by while it was hidden
            self._redraw()
            self.refresh(layout=True)

    def write(self, scene: Scene, width: int) -> Content:
        said = (row for words in scene.view.words for row in wrap(harmless(str(words)), max(20, width)))
        return lines([Content.styled(row, "bold $error") for row in said])


class StripPanel(ScenePanel):
    """One node over time."""

    def __init__(self, node: str) -> None:
        super().__init__(classes="box strip")
        self.node = node

    def write(self, scene: Scene, width: int) -> Content:
        strip = scene.strip(self.node)
        if strip is None:
            return Content(UNKNOWN)
        self.entitle(_title(strip, scene.view.sampled[1]))
        return draw_strip(strip, self.content_size.height, scene.cursor)


def _title(strip: Strip, newest: float) -> str:
    words, closest = strip.words, strip.closest
    left = "" if words is None else f"{gib(words.left_bytes)} GiB left"
    left += f" at {clock(words.t)}" if words is not None and words.t < newest - SILENT_S else ""
    least = "" if closest is None else f"least {gib(closest.left_bytes)} at {clock(closest.t)}"
    run = "" if closest is None or closest.run is None else f" in {closest.run}"
    name = f"{strip.node} fragile" if strip.fragile else strip.node
    return " · ".join(part for part in (name, left, least + run) if part)


class Timeline(ScenePanel):
    """Topologies, the log and the time under the strips."""

    def __init__(self) -> None:
        super().__init__(id="timeline")

    def write(self, scene: Scene, width: int) -> Content:
        return draw_timeline(scene.view, scene.topologies, scene.cursor)


class Told(ScenePanel):
    """The warnings and errors in sight up to the moment looked at; the last of them where there is room for few."""

    def __init__(self) -> None:
        super().__init__(id="told")
        self._instead = ""

    def instead(self, text: str) -> None:
        """Say this where there is no node."""
        if text != self._instead:
            self._instead = text
            self._redraw()

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        return Content.styled(self._instead, "$dim") if self._scene is None else self.write(self._scene, width)

    def write(self, scene: Scene, width: int) -> Content:
        span = scene.view.span
        until = span.end if scene.cursor is None else span.start + (scene.cursor + 1) * span.width_s
        marks = [mark for mark in scene.view.in_sight() if mark.t < until]
        room = max(1, self.content_size.height)
        told = [row for mark in marks[-room:] for row in _told(mark, width, room)]
        return lines(told[-room:] or [Content()])


def _told(mark: Mark, width: int, most: int) -> list[Content]:
    """Return a line of the log in at most so many rows."""
    glyph, style = MARKS.get(mark.level, (" ", ""))
    told = wrap(harmless(mark.text), max(20, width - TOLD_INDENT), max_lines=most, placeholder=" …") or [""]
    first = Content.assemble((clock(mark.t), "$dim"), f" {glyph} ", (told[0], style))
    return [first, *(Content.styled(" " * TOLD_INDENT + row, style) for row in told[1:])]


class SamplePanel(ScenePanel):
    """One sample of a node, every reading of it."""

    def __init__(self, node: str) -> None:
        super().__init__(classes="box sample")
        self.node = node

    def write(self, scene: Scene, width: int) -> Content:
        strip = scene.strip(self.node)
        if strip is None or strip.at is None:
            self.entitle(self.node)
            return Content.styled(f"no sample of {self.node} at that moment", "$dim")
        self.entitle(_moment(strip, _which(scene.view)))
        floors = [Content.styled(row, "$dim") for row in wrap(harmless(strip.floors), max(20, width))]
        return lines([*floors, *_flowing(strip.readings, width)][: max(1, self.content_size.height)])


def _which(view: NodesView) -> str:
    """Say which of the samples under the cursor it is: the picture has the one with the least left of every column."""
    return "newest sample" if view.request.at is None else f"least left in {duration(view.span.width_s)}"


def _moment(strip: Strip, which: str) -> str:
    words = strip.at_words
    if words is None or strip.at is None:
        return strip.node
    parts = [
        strip.node,
        f"{clock(strip.at)}.{int(strip.at * 10) % 10}",
        which,
        words.phase,
        str(words.run or "no topology up"),
    ]
    return " · ".join(parts)


def _flowing(readings: Iterable[Reading], width: int) -> list[Content]:
    """Put readings side by side, as many as a line holds."""
    rows: list[list[Content]] = [[]]
    used = 0
    for reading in readings:
        piece = _piece(reading).truncate(width, ellipsis=True)
        if rows[-1] and used + len(GAP) + piece.cell_length > width:
            rows.append([])
            used = 0
        rows[-1].append(piece)
        used += piece.cell_length + (len(GAP) if used else 0)
    return [Content(GAP).join(row) for row in rows]


def _piece(reading: Reading) -> Content:
    unit = "" if reading.value == UNKNOWN else f" {reading.unit}".rstrip()
    return Content.assemble((f"{reading.name} ", "$dim"), (harmless(reading.value), "bold"), (unit, "$dim"))


class PerNode(Container):
    """A panel a node, made anew only when the nodes change."""

    def __init__(self, kind: type[StripPanel | SamplePanel], id: str) -> None:
        super().__init__(id=id)
        self._kind = kind
        self._names: tuple[str, ...] = ()

    def tell(self, scene: Scene | None) -> None:
        """Show a scene."""
        names = () if scene is None else tuple(strip.node for strip in scene.view.strips)
        if names != self._names:
            self._names = names
            self.remove_children()
            self.mount_all(self._kind(name) for name in names)
            self.set_class(len(names) >= MANY, "-many")
        for panel in self.query(self._kind):
            self._choose(panel, scene is not None and scene.node == panel.node)
            panel.tell(scene)

    def _choose(self, panel: StripPanel | SamplePanel, chosen: bool) -> None:
        if panel.has_class("-chosen") != chosen:
            panel.set_class(chosen, "-chosen")
            if chosen:
                panel.scroll_visible(animate=False)
