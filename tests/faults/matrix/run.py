"""Every fault of a seed, shared among lanes that run beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.matrix.lane import Lane
from tests.faults.matrix.over_ssh import over_ssh
from tests.faults.matrix.plan import Fault, faults, faults_over_ssh
from tests.faults.matrix.site import Site
from tests.faults.matrix.tally import Tally


def run_matrix(folder: Path, seed: int, count: int, lanes: int, count_over_ssh: int = 0) -> tuple[Tally, Tally]:
    """Hit campaigns with the faults of a seed; return what came of it on this machine, and over ssh."""
    here, there = Tally(f"seed {seed}"), Tally(f"over ssh, seed {seed}")
    planned = faults(seed, count)
    with ThreadPoolExecutor(lanes + 1) as pool:
        for number in range(lanes):
            pool.submit(Lane(Site(folder / f"lane-{number}"), here).run, planned[number::lanes])
        if count_over_ssh:
            pool.submit(_run_over_ssh, folder / "over-ssh", there, faults_over_ssh(seed, count_over_ssh))
    return here, there


def _run_over_ssh(home: Path, tally: Tally, planned: Sequence[Fault]) -> None:
    try:
        with over_ssh(home) as site:
            Lane(site, tally).run(planned)
    except Exception as error:  # noqa: BLE001 - a thread's own would be seen by nobody
        tally.problem("over ssh", f"{type(error).__name__}: {error}")
