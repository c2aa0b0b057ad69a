"""When to warn about a node, and when to stop what runs on it: a pure decision over what the node has left.

Nothing but the standard library is imported: this file is carried to the nodes, where their agents decide by it.
The rules and where their numbers come from: docs/memory.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from sparktui.nodes.phase import Phase
from sparktui.nodes.slope import pace, robust_slope

GIB = 1024**3

Level = Literal["ok", "warn", "look", "stop"]
"""`look`: take another reading at once and observe that; one reading alone is not acted on."""
Rule = Literal["floor", "predicted", "slope", ""]

Readings = tuple[tuple[float, int], ...]
"""Monotonic seconds and bytes left, in order of time."""

KEEP_S = 10.0
"""How long readings are remembered."""
SLOPE_S, SLOPE_AT_MOST_S = 3.0, 5.0
MANY_READINGS = 10
"""A slope is taken over the last 3 s; where these hold fewer than ten readings, over 5 s."""
STILL_S, STILL_SHARE = 1.0, 0.25
"""And where the last second has lost at least a quarter of what the slope says: memory that was taken at once is not
being taken any more."""
COARSE_STEP_S = (1.0, 3.0)
"""Readings so far apart leave no time to wait for another one."""
COARSE_FALL_BYTES = GIB // 2
"""What each of the two steps before a crossing must have lost, for that reading to be believed alone."""
QUIET_BYTES_S = GIB // 4

CALM, LOW, FALLING, UNDER = range(4)
"""What a reading says, in order of urgency: nothing; under the warn floor; at the stop floor soon; under it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a node has to keep, in bytes of MemAvailable, and what the topology should leave it with."""

    warn_bytes: int
    loading_stop_bytes: int
    """While loading and warming."""
    serving_stop_bytes: int
    horizon_s: float = 10.0
    """It warns where the stop floor would be reached sooner than this, at the pace of the last seconds."""
    predicted_left_bytes: int | None = None
    """What the verdict before the launch said would be left once everything is loaded; None where it could not say."""
    predicted_margin_bytes: int = 8 * GIB
    """How far under that a load may go before it is stopped."""
    real_fall_bytes_s: int = 6 * GIB // 10
    """A slope counts from here on: serving swings by a GiB. A slower fall meets the warn floor in time."""
    clear_above_bytes: int = 4 * GIB
    clear_s: float = 3.0
    """So far above its floors, and for so long, a node must have been for a warning to be over; at most `KEEP_S`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reading means."""

    level: Level
    rule: Rule = ""
    """What made the level: the warn or stop floor, the predicted remainder, or the slope; empty where nothing did."""
    text: str = ""
    """A sentence with the numbers; empty where there is nothing to say."""
    left_bytes: int | None = None
    floor_bytes: int | None = None
    """The stop floor of the phase, or the predicted remainder less its margin where that is higher; None where the
    phase has none."""
    slope_bytes_s: float | None = None
    """Robust, over the last seconds; negative while memory falls; None with too few readings."""
    seconds_to_floor: float | None = None
    """At that slope; None where memory does not fall, or there is no floor."""
    news: bool = False
    """To be told: a warning begins, worsens or (level `ok`) is over, or the stop."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What the decision remembers of one node; a new value after every reading."""

    node: str
    limits: Limits
    recent: Readings = ()
    """The last readings; none of the loading before it counts while serving, since a load is a fall."""
    phase: Phase = "idle"
    last: int = CALM
    """What the last reading said by itself."""
    told: int = CALM
    """The worst that was told of this episode; `CALM` where there is none."""

    @classmethod
    def of(cls, node: str, limits: Limits) -> Guard:
        """Return a guard that has seen nothing yet."""
        return cls(node, limits)

    def observe(self, t: float, left_bytes: int | None, phase: Phase) -> tuple[Guard, Decision]:
        """Return the guard after a reading at `t` (monotonic seconds), and what it means.

        A reading that is missing (None) changes nothing. In the phases `idle` and `stopping` nothing is stopped and no
        warning begins.
        """
        if left_bytes is None:
            return self, Decision("warn" if self.told else "ok")
        before = () if phase == "serving" != self.phase else self.recent
        recent = (*(kept for kept in before if t - KEEP_S <= kept[0] < t), (t, left_bytes))
        reading = _judged(self.limits, recent, phase)
        level, told = self._level(reading, recent)
        decision = reading.decision(self.node, level, news=told != self.told)
        return replace(self, recent=recent, phase=phase, last=reading.says, told=told), decision

    def _level(self, reading: _Reading, recent: Readings) -> tuple[Level, int]:
        """Return the level, and the worst that has then been told."""
        believed = reading.says if _fell_in_coarse_steps(recent) else min(reading.says, self.last)
        if believed == UNDER:
            return "stop", UNDER
        if reading.says == UNDER or reading.says > max(believed, self.told):
            return "look", self.told
        if believed > self.told:
            return "warn", believed
        if self.told == CALM or _is_over(reading, self.limits, recent):
            return "ok", CALM
        return "warn", self.told


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one reading says by itself, with the readings before it."""

    left_bytes: int
    phase: Phase
    warn_bytes: int
    floor_bytes: int | None
    floor_rule: Rule
    slope_bytes_s: float | None
    pace_bytes_s: float | None
    """What is told: the slope, or that of the last second where it has changed."""
    seconds_to_floor: float | None
    says: int

    @property
    def rule(self) -> Rule:
        rules: tuple[Rule, ...] = ("", "floor", "slope", self.floor_rule)
        return rules[self.says]

    def decision(self, node: str, level: Level, *, news: bool) -> Decision:
        """Return what it means, given the level that all readings together make."""
        text = f"{node} has {_gib(self.left_bytes)} GiB left while {self.phase}, {self._why()}"
        quiet = level == "ok" and not news
        return Decision(
            level=level,
            rule=self.rule,
            text="" if quiet else text,
            left_bytes=self.left_bytes,
            floor_bytes=self.floor_bytes,
            slope_bytes_s=self.slope_bytes_s,
            seconds_to_floor=self.seconds_to_floor,
            news=news,
        )

    def _why(self) -> str:
        if self.says == UNDER:
            return f"under {self._floor()}{self._falling()}"
        if self.says == FALLING:
            return f"at {self._floor()} in {self.seconds_to_floor:.1f} s{self._falling()}"
        if self.says == LOW:
            return f"under the {_gib(self.warn_bytes)} GiB at which it warns; it stops under {_gib(self.floor_bytes)}"
        return f"above the {_gib(self.warn_bytes)} GiB at which it warns{self._falling() or ', not falling'}"

    def _floor(self) -> str:
        if self.floor_rule == "predicted":
            return f"the {_gib(self.floor_bytes)} GiB that loading was to leave at the least"
        return f"its stop floor of {_gib(self.floor_bytes)} GiB"

    def _falling(self) -> str:
        falls = self.pace_bytes_s is not None and -self.pace_bytes_s >= QUIET_BYTES_S
        return f", falling {-(self.pace_bytes_s or 0) / GIB:.1f} GiB/s" if falls else ""


def stop_floor(limits: Limits, phase: Phase) -> tuple[int | None, Rule]:
    """Return the bytes under which a phase is stopped, and by which rule; None in a phase that is never stopped.

    Loading takes memory fastest, so it has a higher floor; and it has a remainder to end at, where one was predicted.
    """
    if phase == "serving":
        return limits.serving_stop_bytes, "floor"
    if phase not in ("loading", "warming"):
        return None, ""
    if limits.predicted_left_bytes is not None:
        predicted = limits.predicted_left_bytes - limits.predicted_margin_bytes
        if predicted > limits.loading_stop_bytes:
            return predicted, "predicted"
    return limits.loading_stop_bytes, "floor"


def _judged(limits: Limits, recent: Readings, phase: Phase) -> _Reading:
    left = recent[-1][1]
    floor, rule = stop_floor(limits, phase)
    slope = robust_slope(_lately(recent))
    seconds = None if floor is None or slope is None or slope >= 0 else max(0.0, (left - floor) / -slope)
    says = CALM
    if floor is not None and left < floor:
        says = UNDER
    elif seconds is not None and seconds < limits.horizon_s and _is_real_fall(limits, recent, phase, slope or 0.0):
        says = FALLING
    elif floor is not None and left < limits.warn_bytes:
        says = LOW
    return _Reading(left, phase, limits.warn_bytes, floor, rule, slope, pace(recent), seconds, says)


def _lately(recent: Readings) -> Readings:
    now = recent[-1][0]
    lately = tuple(reading for reading in recent if reading[0] >= now - SLOPE_S)
    if len(lately) >= MANY_READINGS:
        return lately
    return tuple(reading for reading in recent if reading[0] >= now - SLOPE_AT_MOST_S)


def _is_real_fall(limits: Limits, recent: Readings, phase: Phase, slope: float) -> bool:
    """Tell a fall from a swing, from one that has ended, and from a load on its way to what was predicted for it."""
    lately = _lately(recent)
    now, left = lately[-1]
    since, then = next((reading for reading in reversed(lately) if reading[0] <= now - STILL_S), lately[0])
    if -slope < limits.real_fall_bytes_s or then - left < -slope * (now - since) * STILL_SHARE:
        return False
    predicted = limits.predicted_left_bytes
    return phase == "serving" or predicted is None or left < predicted - limits.predicted_margin_bytes / 2


def _fell_in_coarse_steps(recent: Readings) -> bool:
    """Tell whether readings are seconds apart and memory fell over two steps before the last one."""
    last = recent[-4:]
    steps = [(t - s, u - v) for (s, u), (t, v) in pairwise(last)]
    shortest, longest = COARSE_STEP_S
    falling = all(fell >= COARSE_FALL_BYTES for _, fell in steps)
    return len(steps) == 3 and falling and all(shortest <= took <= longest for took, _ in steps)


def _is_over(reading: _Reading, limits: Limits, recent: Readings) -> bool:
    """Tell whether a warning is over: well above the floors for some seconds, and not falling."""
    now = recent[-1][0]
    clear = max(limits.warn_bytes, reading.floor_bytes or 0) + limits.clear_above_bytes
    lately = [left for t, left in recent if t >= now - limits.clear_s]
    quiet = reading.slope_bytes_s is not None and reading.slope_bytes_s > -QUIET_BYTES_S
    return quiet and now - recent[0][0] >= limits.clear_s and min(lately) > clear


def _gib(size_bytes: float | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / GIB:.1f}"
