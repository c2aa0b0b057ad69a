"""The loop of an agent: samples, the guard over each of them, and what the runner says in between."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sparktui.nodes.arming import Arming
from sparktui.nodes.conversation import Conversation
from sparktui.nodes.flight import Entry, Flight
from sparktui.nodes.memory import Fields
from sparktui.nodes.peer import Order
from sparktui.nodes.phase import PHASES, Phase
from sparktui.nodes.reading import Reader

INTERVAL_S: dict[Phase, float] = {"loading": 0.2, "warming": 0.2, "serving": 0.5, "stopping": 0.5, "idle": 0.5}
LOOK_AGAIN_S = 0.02
LOOKS_AT_MOST = 3
ORPHAN_S = 600.0
"""With no runner connected for so long, an agent ends, unless something is left that it guards."""


class Agent:
    """One node's agent: a loop over samples, and over what the runner says between them."""

    def __init__(self, node: str, reader: Reader, *, locked: bool, orphan_s: float = ORPHAN_S) -> None:
        """Begin to listen in the current folder.

        Raises:
            OSError: It cannot listen there.
        """
        self.node, self._reader, self._orphan_s = node, reader, orphan_s
        self._conversation = Conversation(self._greet)
        self._flight = Flight(Path.cwd(), self._tell)
        self._arming: Arming | None = None
        self._phase: Phase = "idle"
        self._what = ""
        self._heartbeat = self._flight.last_heartbeat() + 1
        self._due = 0.0
        self._ended = self._told_to_end = False
        self.notable = False
        """It warned or acted: its flight file is evidence."""
        self._about = {"pid": os.getpid(), "node": node, "boot_id": boot_id(), "locked": locked, "started": time.time()}
        self._orders: dict[str, Callable[[Order], None]] = {
            "phase": self._enter,
            "arm": self._arm,
            "disarm": self._disarm,
            "note": self._note,
            "replay": self._replay,
            "end": self._end,
        }

    def run(self) -> bool:
        """Sample until told to end, terminated, or alone for too long; return whether the runner said to end."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: None)  # a lost terminal ends no guard; what it starts inherits nothing
        self._due = time.monotonic()
        while not (self._ended or self._is_orphan()):
            self._sample()
            self._due = max(self._due + INTERVAL_S[self._phase], time.monotonic())
            self._converse()
        self._lay_down()
        self._flight.close()
        return self._told_to_end

    def _is_orphan(self) -> bool:
        alone_s = self._conversation.alone_s()
        return alone_s > self._orphan_s and not (self._arming and self._arming.holds(alone_s))

    def break_off(self, error: Exception) -> None:
        """Say to the runner and to the flight file what has ended the agent unforeseen."""
        text = f"the agent ended by {type(error).__name__}: {error}"
        self._note({"what": text})
        self._trouble("agent-broke", text)
        self._flight.close()
        self._conversation.close()

    def hang_up(self) -> None:
        """End the connection: to a runner that sees it end, everything is done."""
        self._conversation.close()

    def _converse(self) -> None:
        """Obey the runner until the next sample is due."""
        while True:
            for order in self._conversation.wait(self._due):
                self._obey(order)
            if time.monotonic() >= self._due:
                return

    def _sample(self) -> None:
        self._reader.ask()
        left = self._guarded()
        warn_bytes = self._arming.limits.warn_bytes if self._arming else 0
        found = self._reader.complete(left, warn_bytes)
        phase = found.get("phase", "idle") if self._phase == "idle" else self._phase
        known = {name: value for name, value in found.items() if value is not None}
        entry = {"sample": {**known, "node": self.node, "phase": phase, "heartbeat": self._heartbeat}}
        self._heartbeat += 1
        self._flight.write(entry)
        self._conversation.tell(entry)
        if trouble := self._reader.trouble():
            self._trouble(*trouble)

    def _guarded(self) -> Fields:
        """Return what is left, once the guard has seen it, and has acted where it must."""
        crossed, left = self._left()
        if self._arming is None:
            return left
        decision = self._arming.observe(crossed, _available(left), self._phase)
        for _ in range(LOOKS_AT_MOST):
            if decision.level != "look":
                break
            time.sleep(LOOK_AGAIN_S)
            taken, left = self._left()
            decision = self._arming.observe(taken, _available(left), self._phase)
        self._arming.carry_out(decision, crossed)
        return left

    def _left(self) -> tuple[float, Fields]:
        """Return a reading with its wall clock in it, and when it was begun by the monotonic one."""
        taken = time.monotonic()
        return taken, {**self._reader.left(), "t": time.time()}

    def _tell(self, entry: Entry) -> None:
        """Tell the runner, and the flight file where it matters later. Called from other threads too."""
        if "acted" in entry or "guard" in entry:
            self.notable = True
            self._flight.write(entry)
        self._conversation.tell(entry)

    def _trouble(self, kind: str, text: str) -> None:
        self._tell({"trouble": {"kind": kind, "text": text}})

    def _greet(self) -> Iterator[Entry]:
        armed = self._arming.mark if self._arming else None
        now = {"heartbeat": self._heartbeat, "phase": self._phase, "armed": armed, "what": self._what}
        yield {"hello": {**self._about, **now}}
        if self._arming and self._arming.act and self._arming.act.reported:
            yield self._arming.act.reported

    def _obey(self, order: Order) -> None:
        obey = self._orders.get(str(order.get("do")))
        try:
            if obey is None:
                raise ValueError(f"`do` must be one of {', '.join(self._orders)}")
            obey(order)
        except ValueError as error:
            self._trouble("bad-command", str(error))

    def _enter(self, order: Order) -> None:
        found = [phase for phase in PHASES if phase == order.get("phase")]
        if not found:
            raise ValueError(f"`phase` must be one of {', '.join(PHASES)}")
        if found[0] != self._phase:
            self._phase = found[0]
            self._due = time.monotonic()

    def _arm(self, order: Order) -> None:
        if self._arming is None or self._arming.order != order:
            arming = Arming(self.node, order, self._tell)
            self._lay_down()
            self._arming = arming
            self._note({"what": arming.what})
        self._arming.go_on()
        self._conversation.tell({"armed": {"mark": self._arming.mark, "what": self._arming.what}})

    def _disarm(self, order: Order) -> None:
        del order
        self._lay_down()
        self._conversation.tell({"disarmed": True})

    def _lay_down(self) -> None:
        if self._arming is not None:
            self._arming.close()
        self._arming = None

    def _note(self, order: Order) -> None:
        self._what = str(order.get("what", ""))
        self._flight.write({"note": {"t": time.time(), "what": self._what}})

    def _replay(self, order: Order) -> None:
        after, peer = order.get("after"), self._conversation.peer
        if not isinstance(after, int):
            raise ValueError("`after` must be a heartbeat")
        self._flight.replay(after, lambda entry: self._conversation.tell(entry, peer))

    def _end(self, order: Order) -> None:
        del order
        self._told_to_end = True
        self._stop()

    def _stop(self) -> None:
        self._ended = True
        self._due = 0.0


def _available(left: Fields) -> int | None:
    available = left.get("mem_available_bytes")
    return available if isinstance(available, int) else None


def boot_id() -> str | None:
    """Return what the kernel calls this boot, or None where it does not."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
