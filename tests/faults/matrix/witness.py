"""What was seen in the store as complete, and whether all of it is there once, unchanged, at any later time."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

_WAVES = """
    SELECT wave.id, sweep.campaign, topology, concurrency, warmup, wave.seq, wave.started, duration_us FROM wave
    JOIN cell ON cell.id = wave.cell JOIN sweep ON sweep.id = cell.sweep ORDER BY wave.id"""
_REQUESTS = "SELECT * FROM request ORDER BY wave, slot, seq"

Key = tuple[int, str, int, int, int]
"""Campaign, topology, concurrency, warm-up or not, number in its cell."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One stored wave."""

    key: Key
    started: float
    duration_us: int
    requests: int
    digest: str
    """Of all that is stored of it."""

    @property
    def ended(self) -> float:
        """When its last request had ended."""
        return self.started + self.duration_us / 1e6

    def __str__(self) -> str:
        campaign, topology, concurrency, warmup, seq = self.key
        return f"campaign {campaign} {topology} c{concurrency} {'warm-up' if warmup else 'wave'} {seq}"


@dataclass(slots=True)
class Found:
    """What is not as it must be."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.duplicated or self.damaged)


@dataclass(slots=True)
class Witness:
    """Remembers every wave it has ever seen in one store."""

    store: Path
    seen: dict[Key, Wave] = field(default_factory=dict)
    checked: int = 0
    """How many waves have been compared with what was seen of them."""

    def look(self) -> None:
        """Remember what the store reports as complete now."""
        for wave in stored_waves(self.store):
            self.seen.setdefault(wave.key, wave)

    def check(self) -> Found:
        """Compare the store with everything that was ever seen in it."""
        found = Found(damaged=damage(self.store))
        if found.damaged:
            return found
        waves = stored_waves(self.store)
        times = Counter(wave.key for wave in waves)
        now = {wave.key: wave for wave in waves}
        found.duplicated = [f"{now[key]} is there {n} times" for key, n in times.items() if n > 1]
        found.duplicated += [f"{wave} is another one's copy" for wave in _copies(waves)]
        found.damaged = [
            f"{wave} has {wave.requests} of its {wave.key[2]} requests"
            for wave in waves
            if wave.requests != wave.key[2]
        ]
        for key, wave in self.seen.items():
            self.checked += 1
            if key not in now:
                found.lost.append(f"{wave} is gone")
            elif now[key].digest != wave.digest:
                found.lost.append(f"{wave} is not what it was")
        return found


def stored_waves(store: Path) -> list[Wave]:
    """Return every wave that a reader sees; none before there is a store."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            return []
        requests: dict[int, list[object]] = {}
        for row in connection.execute(_REQUESTS):
            requests.setdefault(row[1], []).append(row)
        return [
            Wave((campaign, topology, concurrency, warmup, seq), started, us, len(rows), _digest(rest, rows))
            for number, campaign, topology, concurrency, warmup, seq, started, us in connection.execute(_WAVES)
            for rows, rest in [(requests.get(number, []), (number, started, us))]
        ]


def damage(store: Path) -> list[str]:
    """Return what SQLite finds wrong with the file, once it has opened it as a writer would."""
    try:
        with closing(sqlite3.connect(store, timeout=30)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            said += [f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.Error as error:
        return [f"the store does not open: {error}"]
    return [] if said == ["ok"] else said


def _copies(waves: list[Wave]) -> list[Wave]:
    """A wave that is stored twice under two numbers has the same begin to the microsecond."""
    begun = Counter((wave.key[0], wave.started) for wave in waves)
    return [wave for wave in waves if begun[wave.key[0], wave.started] > 1]


def _digest(wave: object, requests: list[object]) -> str:
    return hashlib.sha256(repr((wave, requests)).encode()).hexdigest()
