"""What a viewer may do to campaigns beside looking, given to it by whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Campaigns = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doing:
    """Each raises SparktuiError where it cannot be done, and may take a while."""

    resume: Callable[[int], bool]
    """Has a campaign go on; tells whether anything of it was missing."""
    lost: Callable[[Campaigns], tuple[str, ...]]
    """Says what would be lost, a line a campaign."""
    delete: Callable[[Campaigns], None]
    """Deletes campaigns, all or none."""
