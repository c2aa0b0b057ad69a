"""What cells are loaded with: what must be the same for them to stand in one table."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.units import UNKNOWN


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """What every cell of a table was loaded with, but for the concurrency."""

    pp: int
    """0 where an imported table does not say; so for `tg`."""
    tg: int
    depth: int
    shape: str

    def __str__(self) -> str:
        depth = f" depth{self.depth}" if self.depth else ""
        return f"pp{self.pp or UNKNOWN} tg{self.tg or UNKNOWN}{depth}, {self.shape}"
