"""Whose figures a screen shows or a file holds: each campaign with what marks it, whichever one is open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparktui.store.rows import CampaignRow
    from sparktui.ui.snapshot import Campaign


@dataclass(frozen=True, slots=True)
class Whose:
    """A campaign, as far as its figures have to tell of it."""

    name: str
    number: int | None
    """None of one that is published: it has none in this store."""
    source: str
    """measured | simulated | published | imported."""
    state: str = ""
    created: float = 0.0

    @classmethod
    def of(cls, campaign: Campaign) -> Whose:
        """Return the open campaign's."""
        return cls(campaign.name, campaign.id, campaign.source, campaign.state, campaign.created)

    @classmethod
    def compared(cls, rows: Iterable[CampaignRow]) -> tuple[Whose, ...]:
        """Return those of a comparison, in its order."""
        return tuple(
            cls(row.name, None if row.source == "published" else row.id, row.source, row.state, row.created)
            for row in rows
        )

    @property
    def simulated(self) -> bool:
        """Whether its figures must never pass for measurements."""
        return self.source == "simulated"

    @property
    def called(self) -> str:
        """Its name, with its number where it has one here."""
        return self.name if self.number is None else f"{self.name} #{self.number}"
