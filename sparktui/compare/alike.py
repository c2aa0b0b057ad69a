"""Which of several campaigns were measured alike, where not all of them were; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sparktui.compare.comparison import Column
from sparktui.compare.fingerprint import Fingerprint, differences
from sparktui.store.rows import CampaignRow

Prints = dict[str, Fingerprint]
"""By the columns' names."""


def apart(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the columns of the campaigns that were measured unlike the others, which are alike.

    None where it is not plain which those are: no two are alike, or as many are alike in another way. What is unknown
    of a campaign is alike to anything, so that it may be like two that are unlike each other.
    """
    prints: dict[CampaignRow, Prints] = {}
    for column in columns:
        prints.setdefault(column.campaign, {})[column.name] = column.fingerprint
    groups = {frozenset(_alike(first, prints)) for first in prints}
    most = max(map(len, groups), default=0)
    largest = [group for group in groups if len(group) == most]
    if most < 2 or len(largest) > 1:
        return ()
    return tuple(column.name for column in columns if column.campaign not in largest[0])


def called(campaigns: Iterable[CampaignRow]) -> str:
    """Name campaigns as `sparktui compare` takes them."""
    return ", ".join(row.name if row.source == "published" else str(row.id) for row in campaigns)


def _alike(first: CampaignRow, prints: dict[CampaignRow, Prints]) -> list[CampaignRow]:
    """Return the campaigns that are like this one and like each other."""
    found: list[CampaignRow] = []
    together: Prints = {}
    for campaign in (first, *(other for other in prints if other != first)):
        with_it = {**together, **prints[campaign]}
        if not differences(with_it):
            found, together = [*found, campaign], with_it
    return found if first in found else []
