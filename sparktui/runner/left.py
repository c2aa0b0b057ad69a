"""What a campaign that was broken off still has to measure, from what the store holds; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparktui.profile.model import Workload
from sparktui.store.rows import CAMPAIGN_OVER, CampaignRow, CellRow, SweepRow


@dataclass(frozen=True, slots=True)
class Left:
    """The sweeps that have cells open, and those cells."""

    sweeps: tuple[SweepRow, ...]
    cells: tuple[CellRow, ...]
    of: int
    """How many cells the campaign has in all."""

    def __str__(self) -> str:
        names = " and ".join(sweep.topology for sweep in self.sweeps)
        return f"{len(self.cells)} of {self.of} cells left" + (f", of {names}" if names else "")


def is_open(cell: CellRow) -> bool:
    """Tell whether a cell has waves missing: measured to its end it has none, nor where less was intended."""
    return cell.state != "done" and cell.ended_by is None


def what_is_left(sweeps: Sequence[SweepRow], cells: Mapping[int, Sequence[CellRow]]) -> Left:
    """Return what is left of a campaign.

    Args:
        sweeps: All of it, in their order.
        cells: Theirs, by sweep.
    """
    found = {sweep.id: [cell for cell in cells[sweep.id] if is_open(cell)] for sweep in sweeps}
    return Left(
        sweeps=tuple(sweep for sweep in sweeps if found[sweep.id]),
        cells=tuple(cell for sweep in sweeps for cell in found[sweep.id]),
        of=sum(len(cells[sweep.id]) for sweep in sweeps),
    )


def is_finished(row: CampaignRow, left: Left, topologies: int, load: Workload) -> bool:
    """Tell whether nothing of a campaign is missing.

    Args:
        row: The campaign.
        left: Of its stored cells.
        topologies: How many it was to race: one that was broken off early has not stored them all.
        load: Where levels are chosen as they are measured, cells that nobody has thought of yet may be missing too.
    """
    if row.state == "done":
        return True
    if row.state not in CAMPAIGN_OVER or row.state == "stopped" or left.cells:
        return False  # one that was stopped with nothing open has yet to be called done
    return row.state == "partial" or (left.of >= topologies * len(load.concurrency) and load.until is None)
