"""Where the campaigns of a lane have their processes, and leave nothing: this machine, for simulated nodes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import psutil

from tests.faults.matrix.leftovers import leftovers
from tests.faults.matrix.plan import Target
from tests.faults.matrix.processes import listening, of_kind, others
from tests.runner.campaigns import Owner, profile_with


class Site:
    """This machine, as one data folder sees it."""

    def __init__(self, home: Path, env: dict[str, str] | None = None) -> None:
        (home / "tmp").mkdir(parents=True)
        self.owner = Owner(home, {"HOME": str(home), "TMPDIR": str(home / "tmp"), **(env or {})})

    def profile(self) -> str:
        """Return the profile of its campaigns."""
        return profile_with(
            serving={"load_seconds": 0.05},
            topologies={"cluster-tp2": None},
            workload={"runs": 4, "warmup_waves": 1},
        )

    def of_kind(self, target: Target) -> list[psutil.Process]:
        """Return the processes of one kind, oldest first."""
        return others(self.owner, ()) if target == "everything" else of_kind(self.owner, target)

    def listening(self) -> set[int]:
        """Return the ports on which anything of ours listens now on this machine."""
        return listening(self.owner)

    def leftovers(self, viewers: Collection[int], ports: Collection[int]) -> list[str]:
        """Return what is there after `sparktui stop` and should not be; the arguments are of `leftovers`."""
        return leftovers(self.owner, viewers, ports)

    def clear(self) -> None:
        """End whatever is there."""
        for process in self.of_kind("everything"):
            try:
                process.kill()
            except psutil.Error:
                continue
