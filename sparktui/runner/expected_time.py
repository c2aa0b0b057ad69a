"""How long each topology of a race should take, before it is started, by what the same race has taken before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sparktui.profile.model import Profile, Workload
from sparktui.runner.eta import CellProgress, expected_wave_s
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, CellRow

REMEMBERED = 3
"""Earlier campaigns that count."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What earlier campaigns took."""

    launch_s: dict[str, tuple[float, ...]]
    """From the launch to serving, by topology, newest first."""
    cells: tuple[CellProgress, ...]
    """With what their waves took."""


def expected_seconds(store: Path, profile: Profile) -> dict[str, float | None]:
    """Return by topology the seconds from its launch to its last wave; None where nothing like it was run before."""
    evidence = read_evidence(store, profile)
    return {name: expected(profile.workload, name, evidence) for name in profile.topologies}


def expected(workload: Workload, topology: str, evidence: Evidence) -> float | None:
    """Return what one topology should take, in seconds; None where no wave like its own was ever measured."""
    if not any(cell.wave_seconds for cell in evidence.cells):
        return None
    waves = workload.runs + workload.warmup_waves
    planned = [CellProgress(topology, level, waves) for level in workload.concurrency]
    launches = evidence.launch_s.get(topology) or tuple(s for known in evidence.launch_s.values() for s in known)
    loading = median(launches) if launches else 0.0
    return loading + sum(waves * _wave_s(cell, evidence.cells) for cell in planned)


def read_evidence(store: Path, profile: Profile) -> Evidence:
    """Return what the last campaigns of the same name, source and load took."""
    if not store.exists():
        return Evidence({}, ())
    launch_s: dict[str, tuple[float, ...]] = {}
    cells: list[CellProgress] = []
    with Reader(store) as reader:
        for row in _alike(reader.campaigns(), profile)[:REMEMBERED]:
            wave_s = reader.wave_seconds(row.id)
            for sweep in reader.sweeps(row.id):
                if sweep.launched is not None and sweep.ready is not None and sweep.ready > sweep.launched:
                    launch_s[sweep.topology] = (*launch_s.get(sweep.topology, ()), sweep.ready - sweep.launched)
                same_load = [cell for cell in reader.cells(sweep.id) if _same_load(cell, profile.workload)]
                cells += [
                    CellProgress(sweep.topology, cell.concurrency, cell.runs, wave_s.get(cell.id, ()))
                    for cell in same_load
                ]
    return Evidence(launch_s, tuple(cells))


def _wave_s(cell: CellProgress, measured: Sequence[CellProgress]) -> float:
    """Prefer what this topology took at this level to what is only near it."""
    own = [other for other in measured if (other.topology, other.concurrency) == (cell.topology, cell.concurrency)]
    waves = [seconds for other in own for seconds in other.wave_seconds]
    return median(waves) if waves else expected_wave_s(cell, tuple(measured))


def _alike(rows: Iterable[CampaignRow], profile: Profile) -> list[CampaignRow]:
    return [row for row in rows if (row.name, row.source) == (profile.name, profile.source)]


def _same_load(cell: CellRow, load: Workload) -> bool:
    return (cell.pp, cell.tg, cell.depth, cell.shape) == (load.pp, load.tg, load.depth, load.shape)
