"""What margins are given against: the runner-up, or what was asked for, or what a published table compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sparktui.compare.origin import Expectation, read_origin
from sparktui.compare.winners import METRICS
from sparktui.errors import UsageError

EVERY_METRIC = ""


@dataclass(frozen=True, slots=True)
class Baselines:
    """Which topologies margins are against, by metric; where nothing is said, the runner-up."""

    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By metric, or under EVERY_METRIC: the first of these that is not the winner."""
    stated: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """By metric and concurrency, from the source of an imported table; only where nothing was asked for."""

    def names(self, metric: str, concurrency: int) -> tuple[str, ...]:
        """Return the candidates for one row, the first choice first."""
        if self.asked:
            return self._asked(metric)
        stated = self.stated.get((metric, concurrency))
        return () if stated is None else (stated,)

    def title(self, metric: str) -> str | None:
        """Say in a few words what a metric's margins are against; None for the runner-up."""
        if self.asked:
            return ", else ".join(self._asked(metric)) or None
        return "what its source names" if any(name == metric for name, _ in self.stated) else None

    def _asked(self, metric: str) -> tuple[str, ...]:
        return self.asked.get(metric, self.asked.get(EVERY_METRIC, ()))


def parse_baselines(texts: Iterable[str], topologies: Sequence[str]) -> Baselines:
    """Read what was typed: `solo`, `cluster-tp2,solo` (the first that is not the winner), `decode=solo`.

    Raises:
        UsageError: It names a metric or a topology that is not compared.
    """
    asked: dict[str, tuple[str, ...]] = {}
    for text in texts:
        metric, has_metric, names = text.rpartition("=")
        if has_metric and metric not in METRICS:
            raise UsageError(f"--baseline {text}: no metric {metric!r}", "there are " + ", ".join(METRICS))
        asked[metric] = tuple(name.strip() for name in names.split(",") if name.strip())
        unknown = [name for name in asked[metric] if name not in topologies]
        if unknown or not asked[metric]:
            raise UsageError(
                f"--baseline {text}: {', '.join(map(repr, unknown)) or 'nothing'} is not compared",
                "there are " + ", ".join(topologies),
            )
    return Baselines(asked)


def stated_baselines(origin: str | None) -> Baselines:
    """Return what an imported campaign's own table compared with.

    Raises:
        StoreError: The origin is damaged.
    """
    found = expectations(origin)
    return Baselines(stated={(e.metric, e.concurrency): e.margin_against for e in found if e.margin_against})


def expectations(origin: str | None) -> tuple[Expectation, ...]:
    """Return what an imported campaign's file says of its own rows; nothing of a measured campaign.

    Raises:
        StoreError: The origin is damaged.
    """
    return read_origin(origin).expectations
