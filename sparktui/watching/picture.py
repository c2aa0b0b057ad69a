"""What is known of everything that is watched, at one moment, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.measure.live import series
from sparktui.nodes.sample import NodeSample
from sparktui.watching.rates import NOTHING, Figures

SIMULATED = "SIMULATED"
Points = tuple[tuple[float, int], ...]
"""Monotonic seconds, and a token counter."""


@dataclass(frozen=True, slots=True)
class EngineNow:
    """One engine."""

    name: str
    url: str
    figures: Figures = NOTHING
    age_s: float | None = None
    """Since it last answered; None where it never has."""
    down: str = ""
    """Why it is not known now; empty where it is."""
    mute: bool = False
    """It answers, and not with figures."""
    restarts: int = 0
    """How often its counters began anew while it was watched."""
    generated: Points = ()
    simulated: bool = False
    """Whether what answers there is the embedded engine: nothing of it is a measurement."""

    @property
    def trouble(self) -> str:
        """In a word or two, how it is not as it should be; empty where its figures are known."""
        return "" if not self.down else "no figures" if self.mute else "down"

    def decode_series(self, now: float, seconds: float, columns: int) -> list[float | None]:
        """Return its decode rate over the last seconds, oldest first."""
        return series(self.generated, now, seconds, columns)


@dataclass(frozen=True, slots=True)
class NodeNow:
    """One node's memory."""

    name: str
    sample: NodeSample | None = None
    age_s: float | None = None
    why_not: str = ""
    """Why it is not heard."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything at one moment."""

    taken: float
    """Wall clock, seconds since the epoch."""
    now: float
    """Monotonic seconds."""
    engines: tuple[EngineNow, ...]
    all: Figures
    """Of the engines that answer, together."""
    nodes: tuple[NodeNow, ...] = ()

    @property
    def mark(self) -> str:
        """What has to stand with the sum of all engines; empty where none is simulated."""
        simulated = sum(engine.simulated for engine in self.engines)
        return "" if not simulated else SIMULATED if simulated == len(self.engines) else f"PARTLY {SIMULATED}"
