"""What the screens show, as one frozen value: everything the viewer knows at one moment, with unknowns as None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparktui.live.values import LIVE_INTERVAL_S as LIVE_INTERVAL_S
from sparktui.live.values import NO_TRENDS
from sparktui.live.values import STALE_INTERVALS as STALE_INTERVALS
from sparktui.live.values import Curve as Curve
from sparktui.live.values import Engine as Engine
from sparktui.live.values import Series as Series
from sparktui.live.values import Trends as Trends
from sparktui.live.values import Wave as Wave
from sparktui.runner.eta import NOT_KNOWN_YET, Remaining
from sparktui.ui.colours import colour
from sparktui.ui.node_values import GuardStop as GuardStop
from sparktui.ui.node_values import Node as Node

if TYPE_CHECKING:  # a picture names these; the first screen has none of them
    from sparktui.compare.summary import Comparison
    from sparktui.measure.agreement import Agreement
    from sparktui.ui.asked import View


@dataclass(frozen=True, slots=True)
class Campaign:
    """The race on screen."""

    id: int
    name: str
    source: str
    """measured | simulated | published | imported."""
    state: str
    created: float
    finished: float | None
    detail: str | None
    interrupted: bool = False
    """It says that it is running, and no runner is there any more."""

    @property
    def simulated(self) -> bool:
        """Whether its figures must never pass for measurements."""
        return self.source == "simulated"

    @property
    def running(self) -> bool:
        """Whether a runner is, or should be, at work on it."""
        return self.state in ("queued", "running")


@dataclass(frozen=True, slots=True)
class Topology:
    """One way to serve the model, and how far its sweep is."""

    name: str
    index: int
    """Its place in the race."""
    state: str
    launched: float | None
    ready: float | None
    stopped: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One topology at one concurrency: what is planned and what is done."""

    topology: str
    concurrency: int
    pp: int
    tg: int
    depth: int
    runs: int
    """Waves planned."""
    waves: int
    """Waves done, warm-up not counted."""
    state: str
    taint: str | None = None
    shape: str = "waves"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log."""

    id: int
    t: float
    level: str
    """info | warning | error."""
    source: str
    kind: str
    text: str
    tail: tuple[str, ...] = ()
    """The last lines of the log of what is loading, or has failed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything on screen at one moment."""

    taken: float
    """By the viewer's clock, seconds since the epoch."""
    campaign: Campaign | None = None
    topologies: tuple[Topology, ...] = ()
    cells: tuple[Cell, ...] = ()
    wave: Wave | None = None
    trends: Trends = NO_TRENDS
    nodes: tuple[Node, ...] = ()
    guard_stops: tuple[GuardStop, ...] = ()
    """That this viewer has not acknowledged."""
    engines: tuple[Engine, ...] = ()
    engine_facts: str = ""
    """What the engine that is up says it is: version, attention backend, types."""
    agreement: Agreement | None = None
    """Of the engines' token counters with what has arrived, over the last seconds."""
    events: tuple[Event, ...] = ()
    clock: str | None = None
    """Whose receive stamps the figures come from, kernel or user; None before the first wave has ended."""
    remaining: Remaining = NOT_KNOWN_YET
    comparison: Comparison | None = None
    """Read again when a cell completes, never on a tick."""
    view: View | None = None
    """What the screen in front has asked for; None, or the answer to another screen, until its own has come."""
    race: int | None = None
    """The campaign that a runner is at work on; asked only while none is open."""

    @property
    def current(self) -> Topology | None:
        """The topology being brought up, loaded or taken down."""
        busy = ("launching", "warming", "measuring", "stopping")
        return next((topology for topology in self.topologies if topology.state in busy), None)

    def colour(self, topology: str) -> str:
        """Return the style of a topology's colour in this race."""
        return colour(topology, (one.name for one in self.topologies))

    def topology(self, name: str) -> Topology | None:
        """Return a topology by name."""
        return next((topology for topology in self.topologies if topology.name == name), None)


EMPTY = Snapshot(taken=0.0)
"""Before the first read."""
