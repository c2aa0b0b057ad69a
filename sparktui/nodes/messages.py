"""What the runner and an agent say to each other over the agent's socket: a JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sparktui.nodes.flight import LATEST
from sparktui.nodes.guard import Limits
from sparktui.nodes.phase import Phase
from sparktui.nodes.sample import NodeSample


class SetPhase(msgspec.Struct, frozen=True, tag_field="do", tag="phase"):
    """Say what is going on on the node."""

    phase: Phase


class Arm(msgspec.Struct, frozen=True, tag_field="do", tag="arm"):
    """Let the guard stop what is about to be launched; `armed` answers it."""

    mark: str
    """What the processes to be killed carry in their environment."""
    stop: tuple[tuple[str, ...], ...]
    """Commands that stop what no mark reaches, such as containers."""
    limits: Limits
    what: str
    """The topology."""


class Disarm(msgspec.Struct, frozen=True, tag_field="do", tag="disarm"):
    """Let the guard stop nothing any more."""


class Note(msgspec.Struct, frozen=True, tag_field="do", tag="note"):
    """Say what is being measured, for the node's own file."""

    what: str


class Replay(msgspec.Struct, frozen=True, tag_field="do", tag="replay"):
    """Ask for what was written after the sample of a heartbeat, oldest first; `replayed` answers with a part."""

    after: int


class End(msgspec.Struct, frozen=True, tag_field="do", tag="end"):
    """Ask the agent to end and to remove its folder."""


Order = SetPhase | Arm | Disarm | Note | Replay | End


class Hello(msgspec.Struct, frozen=True):
    """The first word on every connection."""

    pid: int
    boot_id: str | None = None
    """The kernel's: another one after a reboot."""
    locked: bool | None = None
    """Whether the agent's pages are locked in memory."""
    started: float | None = None
    heartbeat: int = 0
    """Of the next sample. An agent counts on where the one before it in its folder has ended."""


class Armed(msgspec.Struct, frozen=True):
    """The guard is armed."""

    mark: str
    what: str = ""


class GuardNews(msgspec.Struct, frozen=True):
    """A warning begins, worsens or is over, or the guard stops what runs there."""

    t: float
    """Of a stop: the same as in its `Acted`."""
    level: str
    """warn | clear | stop"""
    rule: str = ""
    text: str = ""
    left_bytes: int | None = None
    floor_bytes: int | None = None
    slope_bytes_s: float | None = None
    seconds_to_floor: float | None = None
    mark: str = ""
    """Of the launch under guard."""


class Acted(msgspec.Struct, frozen=True):
    """The guard has stopped what ran there: told at once, and again when the stop is over."""

    t: float
    text: str = ""
    ms: float | None = None
    """From the reading that crossed to the last signal sent and command started of the first look."""
    killed: tuple[int, ...] = ()
    ran: tuple[tuple[tuple[str, ...], int | None], ...] = ()
    """The stop commands, and what each ended with; None where it was still running, or could not be started."""
    mark: str = ""
    """Of the launch that was stopped."""
    done: bool = False
    """The stop is over: nothing more is killed or started."""


class Noted(msgspec.Struct, frozen=True):
    """What was being measured from a moment on, as the runner had said; only in the node's own file."""

    t: float
    what: str = ""


class Replayed(msgspec.Struct, frozen=True):
    """A part of what was asked for by `replay`, oldest first."""

    samples: tuple[NodeSample, ...] = ()
    guard: tuple[GuardNews, ...] = ()
    acted: tuple[Acted, ...] = ()
    more: bool = False
    """Another part follows."""


class Trouble(msgspec.Struct, frozen=True):
    """Something the agent could not do."""

    kind: str
    text: str


class Said(msgspec.Struct, frozen=True):
    """One line of an agent: exactly one of these."""

    hello: Hello | None = None
    sample: NodeSample | None = None
    armed: Armed | None = None
    disarmed: bool | None = None
    guard: GuardNews | None = None
    acted: Acted | None = None
    replayed: Replayed | None = None
    note: Noted | None = None
    trouble: Trouble | None = None


_SAID = msgspec.json.Decoder(Said)
_ORDER = msgspec.json.Encoder()


def parse(line: bytes | str) -> Said | None:
    """Return a line as what it says; None where it says nothing that is known here, or of a moment that is none."""
    try:
        said = _SAID.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return said if all(0 <= t < LATEST for t in _moments(said)) else None


def _moments(said: Said) -> Iterator[float]:
    bodies: list[NodeSample | GuardNews | Acted | Noted | None] = [said.sample, said.guard, said.acted, said.note]
    if said.replayed is not None:
        bodies += [*said.replayed.samples, *said.replayed.guard, *said.replayed.acted]
    return (body.t for body in bodies if body is not None)


def parse_lines(text: str) -> list[Said]:
    """Return what the lines of a flight file say; a torn one is left out."""
    return [said for line in text.splitlines() if (said := parse(line)) is not None]


def encoded(order: Order) -> bytes:
    """Return an order as a line."""
    return _ORDER.encode(order) + b"\n"
