"""Nodes, the flight recorder: how close did each node come, when, and what was up then?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from sparktui.ui import explain
from sparktui.ui.empty import READING, without_samples
from sparktui.ui.messages import ViewAsked
from sparktui.ui.nodes_look import Look
from sparktui.ui.nodes_rows import nodes_rows
from sparktui.ui.nodes_view import NodesRequest, NodesView
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.strip import GUTTER
from sparktui.ui.table_shown import TableShown
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.memory import PerNode, SamplePanel, Scene, ScenePanel, StripPanel, Timeline, Told, Words

FRAME = 4
"""Columns that a strip's frame takes, where it has one."""


class NodesScreen(Screen[None]):
    """A strip a node on one axis of time, with a cursor; the sample under it in full."""

    CSS_PATH = "nodes.tcss"
    EXPLAIN: ClassVar[tuple[explain.Explanation, ...]] = explain.NODES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Moment", id="moment-before", tooltip="A column to the left: that moment in full"),
        Binding("right", "move(1)", "Later", show=False, id="moment-after", tooltip="A column to the right"),
        Binding("shift+left", "move(-10)", "Far left", show=False, id="moment-far-before", tooltip="Ten to the left"),
        Binding("shift+right", "move(10)", "Far right", show=False, id="moment-far-after", tooltip="Ten to the right"),
        Binding("home", "begin", "First", show=False, id="moment-first", tooltip="The first sample"),
        Binding(
            "end", "follow", "Newest", show=False, id="moment-newest", tooltip="The newest sample, and go on with it"
        ),
        Binding("n", "mark(1)", "Next warning", show=False, id="mark-next", tooltip="The next warning or error"),
        Binding("p", "mark(-1)", "Warning before", show=False, id="mark-before", tooltip="The warning or error before"),
        Binding(
            "plus,equals_sign", "zoom(-1)", "Zoom", key_display="+", id="zoom-in", tooltip="Less time, in more detail"
        ),
        Binding("minus", "zoom(1)", "Zoom out", show=False, id="zoom-out", tooltip="More time, in less detail"),
        Binding(
            "w", "whole", "Whole", show=False, id="zoom-whole", tooltip="Everything from the first sample to the last"
        ),
        Binding("up", "node(-1)", "Node before", show=False, id="node-before", tooltip="The node above"),
        Binding("down", "node(1)", "Node", show=False, id="node-after", tooltip="The node below"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._look = Look()
        self._snapshot: Snapshot | None = None
        self._view: NodesView | None = None

    def compose(self) -> ComposeResult:
        yield Masthead("nodes")
        yield Words(id="words")
        yield PerNode(StripPanel, "strips")
        yield Timeline()
        yield Told()
        yield PerNode(SamplePanel, "samples")
        yield Keybar()

    def request(self) -> NodesRequest | None:
        """Return what the feed has to read for this screen; None before it is laid out."""
        columns = self.size.width - GUTTER - (0 if self.has_class("-narrow") else FRAME)
        return self._look.request(columns, self._going_on) if columns > 0 else None

    @property
    def _going_on(self) -> bool:
        campaign = None if self._snapshot is None else self._snapshot.campaign
        return campaign is not None and campaign.running

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; until it holds what this screen asked for, what was drawn of the campaign stays."""
        if self._snapshot is None or _campaign(snapshot) != _campaign(self._snapshot):
            self._look, self._view = Look(), None
        self._snapshot = snapshot
        for masthead in self.query(Masthead):
            masthead.show(snapshot)
        if isinstance(snapshot.view, NodesView):
            self._view = snapshot.view
        self._draw()

    def _draw(self) -> None:
        scene = self._scene()
        self.query_one(Told).instead(READING if self._snapshot is None else without_samples(self._snapshot))
        for panel in self.query_children(ScenePanel):
            panel.tell(scene)
        for panels in self.query(PerNode):
            panels.tell(scene)

    def _scene(self) -> Scene | None:
        if self._view is None or self._snapshot is None or not self._view.strips:
            return None
        topologies = tuple(topology.name for topology in self._snapshot.topologies)
        node = self._look.node or self._view.strips[0].node
        return Scene(self._view, self._look.cursor(self._view), node, topologies)

    def rows_shown(self) -> TableShown | None:
        """Return the columns of every strip."""
        return None if self._view is None else nodes_rows(self._view)

    def look_at(self, node: str) -> None:
        """Look at one node."""
        self._look = replace(self._look, node=node)
        self._draw()

    def _change(self, change: Callable[[NodesView], Look]) -> None:
        """Look elsewhere: what is known of it is drawn at once, the rest when it has been read."""
        if self._view is None:
            return
        look = change(self._view)
        if look != self._look:
            self._look = look
            self._draw()
            self.post_message(ViewAsked())

    def action_move(self, step: int) -> None:
        """Look at another column."""
        self._change(lambda view: self._look.moved(view, step))

    def action_begin(self) -> None:
        """Look at the first sample."""
        self._change(self._look.at_start)

    def action_follow(self) -> None:
        """Look at the newest sample again."""
        self._change(lambda _: self._look.following())

    def action_mark(self, step: int) -> None:
        """Look at the next warning or error, or at the one before; where there is none, say so."""
        before = self._look
        self._change(lambda view: self._look.beside(view, step))
        if self._view is not None and self._look is before:
            self.notify(f"no warning or error {'after' if step > 0 else 'before'} this moment")

    def action_zoom(self, step: int) -> None:
        """Show more time, or less."""
        self._change(lambda view: self._look.zoomed(view, step))

    def action_whole(self) -> None:
        """Show everything."""
        self._change(lambda _: self._look.showing_all())

    def action_node(self, step: int) -> None:
        """Look at another node."""
        self._change(lambda view: self._look.beside_node(view, step))


def _campaign(snapshot: Snapshot) -> int | None:
    return None if snapshot.campaign is None else snapshot.campaign.id
