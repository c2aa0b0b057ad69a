"""Every fault of a seed, shared among lanes that run beside each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.matrix.lane import Lane
from tests.faults.matrix.plan import faults
from tests.faults.matrix.tally import Tally


def run_matrix(folder: Path, seed: int, count: int, lanes: int) -> Tally:
    """Hit campaigns with the faults of a seed; return what came of it."""
    tally, planned = Tally(seed), faults(seed, count)
    with ThreadPoolExecutor(lanes) as pool:
        for number in range(lanes):
            pool.submit(Lane(folder / f"lane-{number}", tally).run, planned[number::lanes])
    return tally
