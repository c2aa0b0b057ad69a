"""Where an imported campaign comes from, as far as a comparison needs to know it."""

from __future__ import annotations

import msgspec

from sparktui.errors import StoreError
from sparktui.unreadable import UNREADABLE

FAILED_REQUESTS = "requests that failed"
"""Among what a file cannot tell: its cells may have had failures, which bar a measured one from winning."""


class Expectation(msgspec.Struct, frozen=True):
    """What an imported table itself says of one row."""

    metric: str
    concurrency: int
    margin_against: str | None = None
    winner: str | None = None
    margin: str | None = None
    gain: str | None = None


class Source(msgspec.Struct, frozen=True):
    """One file."""

    topologies: tuple[str, ...] = ()
    cannot_know: tuple[str, ...] = ()


class Origin(msgspec.Struct, frozen=True):
    """All files that a campaign was imported from; none of a measured one."""

    sources: tuple[Source, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    def tells_failures(self, topology: str) -> bool:
        """Tell whether every file with figures of a topology says which of its cells had requests that failed."""
        mine = (source for source in self.sources if topology in source.topologies)
        return not any(FAILED_REQUESTS in source.cannot_know for source in mine)


def read_origin(origin: str | None) -> Origin:
    """Read `campaign.origin`; None is that of a measured campaign.

    Raises:
        StoreError: It is damaged.
    """
    if origin is None:
        return Origin()
    try:
        return msgspec.json.decode(origin, type=Origin)
    except UNREADABLE as error:
        raise StoreError(f"the store holds a damaged origin: {error}", "import the file again") from error
