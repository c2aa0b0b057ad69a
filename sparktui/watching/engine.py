"""One engine as it is followed: its looks of the last minutes, whether it answers, and when it began anew."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from sparktui.measure.live import Point
from sparktui.watching.fetch import Endpoint
from sparktui.watching.page import Page
from sparktui.watching.picture import EngineNow
from sparktui.watching.rates import KEEP_S, Look, began_anew, figures_of


class Engine:
    """What has been heard of one endpoint; nothing of it is stored."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._looks: deque[Look] = deque()
        self._first: Look | None = None
        self._down = "not asked yet"
        self._mute = False
        self._restarts = 0

    def heard(self, t: float, page: Page) -> None:
        """Take in what it said at `t`, monotonic seconds."""
        look = Look(t, page)
        if self._looks and began_anew(self._looks[-1].page.figures, page.figures):
            self._looks.clear()
            self._first = None
            self._restarts += 1
        self._first = self._first or look
        self._looks.append(look)
        while self._looks[0].t < t - KEEP_S:
            self._looks.popleft()
        self._down = ""

    def silent(self, why: str, *, mute: bool = False) -> None:
        """Take in that it did not answer, or, where it is `mute`, not with figures."""
        self._down, self._mute = why, mute

    def now(self, t: float) -> EngineNow:
        """Return what is known at `t`."""
        last = self._looks[-1] if self._looks else None
        known = EngineNow(
            self.endpoint.name,
            self.endpoint.address,
            age_s=None if last is None else max(0.0, t - last.t),
            down=self._down,
            mute=self._mute and bool(self._down),
            restarts=self._restarts,
            generated=tuple(self._generated()),
            simulated=last is not None and last.page.simulated,
        )
        if self._down or last is None or self._first is None:
            return known
        return replace(known, figures=figures_of(self._looks, self._first, t))

    def _generated(self) -> list[Point]:
        counts = ((look.t, look.page.figures.generation_tokens) for look in self._looks)
        return [(t, int(count)) for t, count in counts if count is not None]
