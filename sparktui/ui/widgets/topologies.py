"""The topologies of the profile under the cursor: which are ticked, where they run, whether the nodes can take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from sparktui.prospect import NOTHING_KNOWN, Prospect
from sparktui.ui.colours import colour
from sparktui.ui.launch_lists import Found, profile_line
from sparktui.ui.text import Part, harmless, squeezed
from sparktui.units import GIB, UNKNOWN, duration, gib

if TYPE_CHECKING:
    from sparktui.nodes.verdict import Verdict
    from sparktui.profile.model import Profile, Topology

TICK, NEEDS, VERDICT, ABOUT = 4, 8, 12, 9
LEAST_NAME, LEAST_WHERE = 8, 6
NODES_SHOWN = 2
"""More do not fit beside the rest: then there is one column, for the node that has least left."""
STYLES = {"safe": "$success", "tight": "$warning", "refuse": "bold $error", "unknown": "$dim"}


START = Binding("enter", "screen.start", "Start", id="start", tooltip="Race the topologies that are ticked")


class Profiles(OptionList):
    """The profiles there are; a click chooses one, and only Enter starts it."""

    BINDINGS: ClassVar[list[BindingType]] = [START]

    def __init__(self) -> None:
        super().__init__(id="profiles", classes="box", markup=False)
        self.border_title = "profiles"
        self.border_subtitle = "? says where yours go"
        self._found: tuple[Found, ...] = ()

    def tell(self, found: tuple[Found, ...]) -> None:
        """Show these."""
        self._found = found
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def _fill(self) -> None:
        """Write them for the room there is; a cursor that is somewhere stays there."""
        room = self.scrollable_content_region.width
        if room <= 0:
            return
        width = max((len(found.entry.name) for found in self._found), default=0)
        lines = {found.entry.name: profile_line(found, width, room) for found in self._found}
        if tuple(option.id for option in self.options) == tuple(lines):
            for name, line in lines.items():
                self.replace_option_prompt(name, line)
        else:
            self.set_options(Option(line, id=name) for name, line in lines.items())


class Topologies(OptionList):
    """Space ticks the one under the cursor; one that a node refuses cannot be ticked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        START,
        Binding("space", "tick", "Tick", id="tick", tooltip="Race this topology, or leave it out"),
    ]

    class Refused(Message):
        """A topology was to be ticked that cannot be started."""

        def __init__(self, topology: str, why: str) -> None:
            super().__init__()
            self.topology = topology
            self.why = why

    def __init__(self) -> None:
        super().__init__(id="topologies", markup=False)
        self._profile: Profile | None = None
        self._prospect = NOTHING_KNOWN
        self._left_out: set[str] = set()

    @property
    def ticked(self) -> tuple[str, ...]:
        """The topologies to race, in the profile's order."""
        return tuple(name for name in self._names if self._is_ticked(name))

    @property
    def under_cursor(self) -> str | None:
        """The topology under the cursor."""
        option = self.highlighted_option
        return None if option is None else option.id

    def tell(self, profile: Profile | None, prospect: Prospect) -> None:
        """Show a profile's topologies, all ticked that can be started; the same profile keeps its ticks."""
        if profile != self._profile:
            self._left_out = set()
        self._profile, self._prospect = profile, prospect
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def action_tick(self) -> None:
        """Tick the topology under the cursor, or leave it out."""
        name = self.under_cursor
        if name is None:
            return
        if why := self._prospect.refusal(name):
            self.post_message(self.Refused(name, why))
            return
        self._left_out ^= {name}
        self._fill()

    @property
    def _names(self) -> Sequence[str]:
        return () if self._profile is None else tuple(self._profile.topologies)

    def _is_ticked(self, name: str) -> bool:
        return name not in self._left_out and not self._prospect.refusal(name)

    def _fill(self) -> None:
        at = self.highlighted
        profile, width = self._profile, self.scrollable_content_region.width
        if profile is None or width <= 0:
            self.clear_options()
            return
        shape = _Shape(profile, width)
        rows = [shape.row(name, self._prospect, ticked=self._is_ticked(name)) for name in profile.topologies]
        self.set_options(Option(row, id=name) for row, name in zip(rows, profile.topologies, strict=True))
        self.highlighted = min(at or 0, len(rows) - 1)


def heading(profile: Profile, width: int) -> Content:
    """Return the head of the columns, for a list that is `width` columns wide inside."""
    return _Shape(profile, width).head()


class _Shape:
    """The columns that fit: places give way first, for whose verdict there is says it too, and then names."""

    def __init__(self, profile: Profile, width: int) -> None:
        self._profile = profile
        self._nodes = tuple(profile.nodes) if len(profile.nodes) <= NODES_SHOWN else ()
        fixed = TICK + NEEDS + VERDICT * max(1, len(self._nodes)) + ABOUT
        name = 2 + max(len(name) for name in profile.topologies)
        where = 1 + max(len(place(topology)) for topology in profile.topologies.values())
        self._name = max(LEAST_NAME, min(name, width - fixed))
        left = width - fixed - self._name
        self._where = min(where, left) if left >= LEAST_WHERE else 0

    def head(self) -> Content:
        columns = [" " * TICK, "topology".ljust(self._name), "where"[: self._where].ljust(self._where)]
        names = self._nodes or ("worst",)
        nodes = "".join(f"  {squeezed(harmless(name), VERDICT - 8)}, GiB".ljust(VERDICT) for name in names)
        return Content.styled("".join(columns) + "needs".rjust(NEEDS) + nodes + "about".rjust(ABOUT), "$dim")

    def row(self, name: str, prospect: Prospect, *, ticked: bool) -> Content:
        topology, verdicts = self._profile.topologies[name], prospect.verdicts.get(name, {})
        tick = "[x] " if ticked else "[ ] "
        parts: list[Part] = [(tick, "bold" if ticked else "$dim")]
        style = f"bold {colour(name, self._profile.topologies)}" if ticked else "$dim"
        parts.append((squeezed(name, self._name - 1).ljust(self._name), style))
        parts.append(squeezed(place(topology), max(0, self._where - 1)).ljust(self._where))
        needed = [v.needed_bytes for v in verdicts.values() if v.needed_bytes is not None and v.basis != "running"]
        parts.append(gib(max(needed, default=None), NEEDS))
        if name in prospect.problems:
            parts.append(("  cannot be launched", "bold $error"))
        elif self._nodes:
            parts += [part for node in self._nodes for part in _verdict(verdicts.get(node), bool(verdicts))]
        else:
            parts += _tightest(list(verdicts.values()))
        return Content.assemble(*parts, (duration(prospect.expected_s.get(name)).rjust(ABOUT), "$dim"))


def place(topology: Topology) -> str:
    """Say where a topology runs: `gf2 + gf1, Ray`, `gf1 | gf2, router`."""
    if topology.kind == "cluster":
        return " + ".join(topology.nodes) + (", Ray" if topology.distributed == "ray" else "")
    return " | ".join(topology.nodes) + (", router" if topology.kind == "replicas" else "")


def _verdict(verdict: Verdict | None, known: bool) -> list[Part]:
    """Return one node's verdict and what would be left of it: `safe +36.1`; `-` for a node that takes no part."""
    if verdict is None:
        return [(f"  {UNKNOWN if known else ''}".ljust(VERDICT), "$dim")]
    text = f"  {verdict.level}{_remainder(verdict)}"
    return [(text.ljust(VERDICT), STYLES[verdict.level])]


def _remainder(verdict: Verdict) -> str:
    if verdict.basis == "running" or verdict.remainder_bytes is None:
        return ""
    return f" {verdict.remainder_bytes / GIB:+.0f}"


def _tightest(verdicts: Sequence[Verdict]) -> list[Part]:
    order = ("refuse", "unknown", "tight", "safe")
    if not verdicts:
        return [" " * VERDICT]
    worst = min(verdicts, key=lambda v: (order.index(v.level), v.remainder_bytes or 0))
    return [(f"  {squeezed(worst.node, 5)} {worst.level}".ljust(VERDICT), STYLES[worst.level])]
