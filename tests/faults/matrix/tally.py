"""What a run of the matrix has come to: figures, and every problem in words."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.faults.matrix.witness import Found


@dataclass(slots=True)
class Tally:
    """Counts of all lanes together."""

    name: str
    kills: int = 0
    campaigns: int = 0
    resumed: int = 0
    waves: int = 0
    compared: int = 0
    lost: int = 0
    duplicated: int = 0
    leftovers: int = 0
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **counts: int) -> None:
        """Count."""
        with self._lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def note(self, where: str, found: Found) -> None:
        """Take in what a check has found."""
        with self._lock:
            self.lost += len(found.lost)
            self.duplicated += len(found.duplicated)
            self.problems += [f"{where}: {what}" for what in (*found.lost, *found.duplicated, *found.damaged)]

    def problem(self, where: str, *what: str) -> None:
        """Note what is wrong otherwise."""
        with self._lock:
            self.problems += [f"{where}: {each}" for each in what]

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.kills} kills tried in {self.campaigns} campaigns, {self.resumed} resumed; "
            f"{self.waves} waves checked, {self.compared} times in all, {self.lost} lost, "
            f"{self.duplicated} duplicated; {self.leftovers} leftovers"
        )
