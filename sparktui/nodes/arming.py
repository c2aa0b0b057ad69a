"""What an agent was armed for: whose memory it guards, how it ends it, and that it does so once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from sparktui.nodes.act import Act
from sparktui.nodes.containers import Containers
from sparktui.nodes.flight import Entry
from sparktui.nodes.guard import Decision, Guard, Limits
from sparktui.nodes.marked import Marked
from sparktui.nodes.phase import Phase

Order = dict[str, Any]
Tell = Callable[[Entry], object]

LARGEST = 2**63
MAY_BE_UNKNOWN = "predicted_left_bytes"
"""The one limit that a verdict may not have been able to say; without any other, nothing could be compared."""
CONTAINERS_S = 24 * 3600.0
"""How long a container is guarded of which docker says nothing."""


class Arming:
    """One launch under guard on this node."""

    def __init__(self, node: str, order: Order, tell: Tell) -> None:
        """Begin to guard.

        Raises:
            ValueError: The order is not one.
        """
        self.order = order
        self.mark, self.what = _text(order, "mark"), str(order.get("what", ""))
        self.limits = _limits(order.get("limits"))
        self.containers = Containers(_argvs(order.get("stop", [])))
        self._guard = Guard.of(node, self.limits)
        self._tell = tell
        self._marked = Marked(self.mark)
        self._marked.watch()
        self.containers.watch()
        self.act: Act | None = None

    def observe(self, taken: float, left_bytes: int | None, phase: Phase) -> Decision:
        """Return what the guard makes of a reading taken at a monotonic time."""
        self._guard, decision = self._guard.observe(taken, left_bytes, phase)
        return decision

    def carry_out(self, decision: Decision, crossed: float) -> None:
        """Stop the launch where the guard says so, once; tell what is news."""
        if decision.level == "stop" and self.act is None:
            self.act = Act(self.mark, decision.text, crossed, self._marked, self.containers.commands(), self._tell)
            self.act.strike()
            self._tell({"guard": self._told(decision, self.act.wall)})
            self.act.follow_up()
        elif decision.news and decision.level != "stop":
            self._tell({"guard": self._told(decision, time.time())})

    def _told(self, decision: Decision, t: float) -> dict[str, Any]:
        body = {name: value for name, value in asdict(decision).items() if name != "news"}
        return body | {"t": t, "level": "clear" if decision.level == "ok" else decision.level, "mark": self.mark}

    def holds(self, alone_s: float) -> bool:
        """Tell whether something of the launch may be left, now that its runner is taken for dead.

        Processes, containers that docker says are there, and for a day those of which it says nothing. While there are
        processes, a container may still come up.
        """
        if self._marked.any_known():
            return True
        self.containers.runner_is_gone()
        return self.act is None and alone_s < CONTAINERS_S and bool(self.containers.commands())

    def go_on(self) -> None:
        """Guard on for a runner that is there again."""
        self.containers.runner_is_back()

    def close(self) -> None:
        """End the guard."""
        self._marked.close()
        self.containers.close()


def _text(order: Order, key: str) -> str:
    if not isinstance(text := order.get(key), str) or not text:
        raise ValueError(f"`{key}` must be a text")
    return text


def _limits(given: object) -> Limits:
    known = {field.name for field in fields(Limits)}
    if not isinstance(given, dict) or not all(_is_size(value, name) for name, value in given.items()):
        raise ValueError("`limits` must be a table of numbers")
    try:
        return Limits(**{name: value for name, value in given.items() if name in known})
    except TypeError as error:
        raise ValueError(f"`limits`: {error}") from None


def _is_size(given: object, name: str) -> bool:
    if given is None:
        return name == MAY_BE_UNKNOWN
    return isinstance(given, int | float) and -LARGEST <= given <= LARGEST


def _argvs(given: object) -> list[list[str]]:
    if not isinstance(given, list) or not all(_is_argv(argv) for argv in given):
        raise ValueError("`stop` must be a list of commands, each a list of words")
    return given


def _is_argv(given: object) -> bool:
    return isinstance(given, list) and any(given[:1]) and all(map(_can_be_given, given))


def _can_be_given(word: object) -> bool:
    """Tell whether a program can be started with that word: found out now, not when it must be."""
    try:
        return isinstance(word, str) and b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False
