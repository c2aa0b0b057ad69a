"""What is exported: a campaign or one topology of it, with its figures by one calculator."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sparktui.compare.cells import MeasuredCell, measured_cells
from sparktui.compare.comparison import Comparison, Selection
from sparktui.compare.summary import compare
from sparktui.errors import UsageError
from sparktui.measure.calculators import DEFAULT
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, SweepRow


@dataclass(frozen=True, slots=True)
class Subject:
    """A stored campaign and how it is to be read."""

    reader: Reader
    campaign: CampaignRow
    calculator: str = DEFAULT
    """Imported figures stay what they are."""
    topology: str | None = None
    """None for all."""

    @property
    def simulated(self) -> bool:
        """Whether every file has to say that nothing in it was measured."""
        return self.campaign.simulated

    @property
    def profile_sha256(self) -> str | None:
        """The digest that tells profiles apart where there is no room for one; None of an imported campaign."""
        profile = self.campaign.profile_yaml
        return hashlib.sha256(profile.encode()).hexdigest() if profile else None

    def sweeps(self) -> list[SweepRow]:
        """Return the chosen topologies' sweeps.

        Raises:
            UsageError: There is no such topology.
        """
        sweeps = self.reader.sweeps(self.campaign.id)
        if self.topology is None:
            return sweeps
        found = [sweep for sweep in sweeps if sweep.topology == self.topology]
        if not found:
            there = ", ".join(sweep.topology for sweep in sweeps) or "none"
            raise UsageError(
                f"campaign {self.campaign.id} has no topology {self.topology!r}", f"its topologies: {there}"
            )
        return found

    def topologies(self) -> tuple[str, ...]:
        """Return the names of all of the campaign's topologies, chosen or not."""
        return tuple(sweep.topology for sweep in self.reader.sweeps(self.campaign.id))

    def cells(self, sweep: SweepRow) -> list[MeasuredCell]:
        """Return a sweep's cells with every figure there is, also those that need every token event."""
        return measured_cells(self.reader, sweep, events=True, calculator=self.calculator)

    def comparison(self) -> Comparison:
        """Return who wins; of one topology, its figures alone."""
        selection = Selection(self.reader, self.campaign.id, str(self.campaign.id), self.topology)
        return compare([selection], calculator=self.calculator)
