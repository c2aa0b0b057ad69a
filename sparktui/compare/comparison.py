"""What a comparison is: columns to compare, a table a metric and workload, and what has to be said with them."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.compare.cells import MeasuredCell
from sparktui.compare.crossover import Crossover
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.gains import Gain
from sparktui.compare.origin import read_origin
from sparktui.compare.winners import Metric, Row
from sparktui.compare.workload import Workload
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, SweepRow


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be compared: a campaign, or one topology of it."""

    reader: Reader
    campaign: int
    label: str
    """What tells its topologies from those of the same name in another campaign."""
    topology: str | None = None
    """None for all."""


@dataclass(frozen=True, slots=True)
class Column:
    """One topology of one campaign, under the name that the tables show."""

    name: str
    campaign: CampaignRow
    sweep: SweepRow
    fingerprint: Fingerprint
    """With the calculator that its figures here come from, and whether its campaign is simulated."""
    cells: tuple[MeasuredCell, ...]

    @property
    def awaited(self) -> tuple[int, ...]:
        """The levels that are still to be measured."""
        return tuple(cell.cell.concurrency for cell in self.cells if cell.awaited)

    @property
    def tells_failures(self) -> bool:
        """Whether it is known which of its cells had requests that failed: not of what some files were made of."""
        return read_origin(self.campaign.origin).tells_failures(self.sweep.topology)


@dataclass(frozen=True, slots=True)
class Table:
    """One metric over all levels of one workload."""

    metric: Metric
    workload: Workload
    topologies: tuple[str, ...]
    rows: tuple[Row, ...]
    crossovers: tuple[Crossover, ...]
    """Where the lead changes."""
    calculator: str
    """Of its own figures, as all of these: another table's may be unlike."""
    token_source: str
    simulated: tuple[str, ...]
    """Those of its topologies whose figures come from the embedded engine."""
    baseline: str | None = None
    """What margins are against, in words; None for the runner-up."""
    pairs: tuple[Crossover, ...] = ()
    """Where the order of any two topologies flips."""
    gains: tuple[Gain, ...] = ()
    """Of the second topology over the first, where there are two."""

    @property
    def contested(self) -> bool:
        """Whether there is anybody to win against."""
        return len(self.topologies) > 1

    @property
    def verdict_title(self) -> str:
        """What stands above who wins: nobody has won while others are still to be measured."""
        return "So far" if any(row.awaited for row in self.rows) else "Winner"

    def names_rival(self, row: Row) -> bool:
        """Tell whether a row has to say whom its margin is against: its table's baseline is somebody else."""
        return self.baseline is not None and row.against is not None and row.against != self.baseline


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which topology wins, from how many users on."""

    columns: tuple[Column, ...]
    campaigns: tuple[CampaignRow, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    differences: tuple[str, ...]
    """In how they were measured: what keeps them from being ranked, unless that was asked for."""
    engine_differences: tuple[str, ...]
    """Between the engines, which may be just what is compared."""
    ranked: bool
    """Whether there are winners: over all columns, or over those that were measured alike."""
    calculator: str
    token_source: str
    apart: tuple[str, ...] = ()
    """The columns that are not ranked with the others, since they were not measured like them."""

    @property
    def topologies(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def simulated(self) -> bool:
        """Whether any of its figures come from the embedded engine and must never pass for measurements."""
        return any(campaign.simulated for campaign in self.campaigns)

    @property
    def campaigns_apart(self) -> tuple[CampaignRow, ...]:
        """Return whose columns are not ranked with the others."""
        return tuple(dict.fromkeys(column.campaign for column in self.columns if column.name in self.apart))

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every level of every table."""
        return tuple(row for table in self.tables for row in table.rows)

    @property
    def crossovers(self) -> tuple[Crossover, ...]:
        """Every change of the leader."""
        return tuple(crossover for table in self.tables for crossover in table.crossovers)
