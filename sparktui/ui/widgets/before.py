"""What Launch says beside its lists: what the nodes have left, and what starting would mean."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from sparktui.errors import ProfileError
from sparktui.measure.calculator_names import NAMES
from sparktui.prospect import NOTHING_KNOWN, Prospect
from sparktui.ui.text import Part, harmless, lines
from sparktui.ui.widgets.topologies import STYLES, heading
from sparktui.units import gib

if TYPE_CHECKING:
    from sparktui.profile.model import Profile

COMMAND = " $ "
"""In a line that would be typed on a node."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The profile under the cursor, and what is known of it."""

    summary: str = ""
    profile: Profile | ProfileError | None = None
    prospect: Prospect = NOTHING_KNOWN
    looked: bool = False
    """The nodes have been asked."""
    topology: str | None = None
    """Under the cursor."""

    @property
    def usable(self) -> Profile | None:
        """The profile, where it can be used."""
        return None if isinstance(self.profile, ProfileError) else self.profile


class Told(Static):
    """Says something of the choice, for the room it has; painted again only where that changes."""

    def __init__(self, id: str, classes: str = "") -> None:
        super().__init__(Content(), id=id, classes=classes, markup=False)
        self._choice = Choice()
        self._said = Content()

    def tell(self, choice: Choice) -> None:
        """Take another choice, or more that is known of it."""
        self._choice = choice
        self.on_resize()

    def on_resize(self) -> None:
        if self.content_size.width <= 0:
            return
        said = self.draw(self._choice, self.content_size.width)
        if not said.is_same(self._said):
            self._said = said
            self.update(said, layout=False)

    def draw(self, choice: Choice, width: int) -> Content:
        """Return what to say in `width` columns."""
        raise NotImplementedError


class Heads(Told):
    """The heads of the topologies' columns."""

    def draw(self, choice: Choice, width: int) -> Content:
        return Content() if choice.usable is None else heading(choice.usable, width)


class NodesNow(Told):
    """One line a node: its size, and what it has left now."""

    def draw(self, choice: Choice, width: int) -> Content:
        if choice.usable is None:
            return Content.styled("-", "$dim")
        longest = max(map(len, choice.usable.nodes))
        rows = [_node(choice, name, longest).truncate(width, ellipsis=True) for name in choice.usable.nodes]
        return lines(rows[: self.content_size.height])


def _node(choice: Choice, name: str, longest: int) -> Content:
    profile, sample = choice.usable, choice.prospect.samples.get(name)
    fragile = profile is not None and profile.nodes[name].fragile
    parts: list[Part] = [(harmless(name).ljust(longest), "bold"), (" fragile" if fragile else " " * 8, "$warning")]
    if sample is None or sample.mem_available_bytes is None:
        said = "no answer: c says why" if choice.looked else "asking …"
        return Content.assemble(*parts, (f"  {said}", "$warning" if choice.looked else "$dim"))
    left = (f"  {gib(sample.mem_available_bytes, 5)}", "bold")
    return Content.assemble(*parts, left, (f" of {gib(sample.mem_total_bytes)} GiB", "$dim"))


class Meaning(Told):
    """The verdict on the topology under the cursor, the load of the race, and the first of the exact commands."""

    def draw(self, choice: Choice, width: int) -> Content:
        return lines(list(_meaning(choice, width))[: max(0, self.content_size.height)])


def _meaning(choice: Choice, width: int) -> Iterator[Content]:
    profile = choice.profile
    if isinstance(profile, ProfileError):
        for problem in profile.problems or (profile.message,):
            yield from _wrapped(problem, width, "$error")
        return
    if profile is None:
        return
    yield from _verdicts(choice, width)
    yield from _wrapped(_load(profile), width)
    others = ", ".join(NAMES[1:])
    yield from _wrapped(f"figures by our own rules ({NAMES[0]}); c in Compare: {others}", width, "$dim")
    yield from _wrapped(choice.summary or profile.description, width, "$dim")
    yield from _commands(choice, width)


def _verdicts(choice: Choice, width: int) -> Iterator[Content]:
    topology = choice.topology or ""
    if why := choice.prospect.problems.get(topology):
        yield from _wrapped(f"{topology} cannot be launched: {why}", width, "bold $error")
    for verdict in choice.prospect.verdicts.get(topology, {}).values():
        hint = f" ({verdict.hint})" if verdict.level == "refuse" else ""
        yield from _wrapped(f"{verdict.text}{hint}", width, STYLES[verdict.level])


def _load(profile: Profile) -> str:
    load = profile.workload
    levels = " ".join(map(str, load.concurrency))
    depth = f" depth{load.depth}" if load.depth else ""
    kind = f"pool runs of {load.pool_turns} turns" if load.shape == "pool" else "waves"
    until = f", until half the interval is {load.precision * 100:g} %" if load.precision else ""
    return f"c {levels} · pp{load.pp} tg{load.tg}{depth} · {load.runs} {kind} each{until} · {profile.model.id}"


def _commands(choice: Choice, width: int) -> Iterator[Content]:
    text = choice.prospect.commands.get(choice.topology or "", "")
    typed = [line for line in text.splitlines() if COMMAND in line and not line.startswith("#")]
    if typed:
        yield Content.assemble(("d", "bold $accent"), (f" exact commands of {choice.topology}", "$dim"))
    for line in typed:
        yield Content(harmless(line)).truncate(width, ellipsis=True)


def _wrapped(text: str, width: int, style: str = "") -> Iterator[Content]:
    for line in textwrap.wrap(harmless(text), max(10, width)):
        yield Content.styled(line, style)
