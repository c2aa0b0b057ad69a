"""What there is to say of a race that is over and in which nothing was measured: why, and what to do next; pure."""

from __future__ import annotations

from collections.abc import Iterator

from sparktui.compare.cells import MeasuredCell
from sparktui.compare.comparison import Column, Comparison
from sparktui.errors import ProfileError
from sparktui.profile.loader import parse_profile
from sparktui.store.rows import CampaignRow

UNMEASURED = "Nothing was measured"


def unmeasured_lines(comparison: Comparison) -> list[str]:
    """Say how each topology ended and what to do next; nothing where a wave was measured, or may yet be."""
    broken_off = all(campaign.broken_off for campaign in comparison.campaigns)
    if not broken_off or any(_is_measured(cell) for column in comparison.columns for cell in column.cells):
        return []
    ends = [line for campaign in comparison.campaigns for line in _ends(campaign, comparison)]
    return [*ends, *(line for campaign in comparison.campaigns for line in next_steps(campaign))]


def next_steps(campaign: CampaignRow) -> Iterator[str]:
    """Say what finds out more about a campaign that failed, and what tries it again."""
    if campaign.state == "failed" and _is_launched(campaign):
        yield f"next: `sparktui check PROFILE` says what is missing, then `sparktui resume {campaign.id}` tries again"
    elif campaign.profile_yaml:
        yield f"next: `sparktui resume {campaign.id}` tries again"


def _is_measured(cell: MeasuredCell) -> bool:
    return bool(cell.figures.waves or cell.figures.figures)


def _ends(campaign: CampaignRow, comparison: Comparison) -> Iterator[str]:
    if campaign.detail:
        yield f"campaign {campaign.id} {campaign.state}: {campaign.detail}"
    for column in comparison.columns:
        if column.campaign == campaign:
            yield _end(column)


def _end(column: Column) -> str:
    return f"{column.name} {column.sweep.state}" + (f": {column.sweep.error}" if column.sweep.error else "")


def _is_launched(campaign: CampaignRow) -> bool:
    """Tell whether its topologies were to be launched on nodes that a check can look at."""
    try:
        profile = parse_profile(campaign.profile_yaml, campaign.name)
    except ProfileError:
        return False
    return profile.launches
