"""Findings over time: each is told once when it begins and once when it has been gone for a while. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sparktui.nodes.health_finding import Finding, Kind

QUIET_S = 10.0
"""How long a finding must be gone before it counts as over: what comes and goes is one episode."""

Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Episode:
    """One finding from its first moment to its last."""

    finding: Finding
    """As it was when it began."""
    began: float
    seen: float
    """When it was last there."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told."""

    begun: tuple[Episode, ...] = ()
    over: tuple[Episode, ...] = ()


@dataclass(frozen=True, slots=True)
class Episodes:
    """What is not well at the moment."""

    standing: Mapping[Key, Episode] = field(default_factory=dict)

    def observe(self, now: float, findings: Iterable[Finding]) -> tuple[Episodes, News]:
        """Return the episodes after this moment's findings, and what is new; `now` is in seconds."""
        there = {finding.key: finding for finding in findings}
        standing = {key: self._episode(finding, now) for key, finding in there.items()}
        gone = [episode for key, episode in self.standing.items() if key not in there]
        over = tuple(episode for episode in gone if now - episode.seen >= QUIET_S)
        standing |= {episode.finding.key: episode for episode in gone if episode not in over}
        begun = tuple(standing[key] for key in there if key not in self.standing)
        return Episodes(standing), News(begun, over)

    def _episode(self, finding: Finding, now: float) -> Episode:
        known = self.standing.get(finding.key)
        return Episode(finding, now, now) if known is None else Episode(known.finding, known.began, now)
