"""What a link to an agent hands on: what the agent said, and how it stands with the link itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparktui.nodes.messages import Acted, GuardNews, Hello, Trouble
from sparktui.nodes.sample import NodeSample

How = Literal["first", "same", "restarted", "replaced", "rebooted"]
"""The first agent since the link was made, the same as before, or another: because that one had ended, because it hung
and was killed, or because the node has booted since."""


@dataclass(frozen=True, slots=True)
class Found:
    """An agent answers."""

    hello: Hello
    how: How


@dataclass(frozen=True, slots=True)
class Lost:
    """No agent answers; it is tried again."""

    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Merged:
    """Samples that had not arrived when they were taken."""

    samples: tuple[NodeSample, ...]
    caught_up: bool


News = Found | Lost | NodeSample | Merged | GuardNews | Acted | Trouble
