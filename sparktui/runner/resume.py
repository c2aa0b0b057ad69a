"""`sparktui resume`: a campaign that was stopped, killed or lost goes on at its first missing wave."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sparktui import __version__
from sparktui.errors import ExitCode, ProfileError, SparktuiError, UsageError
from sparktui.paths import store_path
from sparktui.profile.difference import differences
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.runner.closing import ENDED_EARLY
from sparktui.runner.detach import start_stored
from sparktui.runner.left import Left, is_finished, what_is_left
from sparktui.runner.lock import lock_to_hand_on, refuse_second, running_campaign, sign
from sparktui.runner.one_at_a_time import one_at_a_time
from sparktui.runner.stop import clean_up
from sparktui.store.reader import Reader
from sparktui.store.reopening import reopen
from sparktui.store.rows import CampaignRow, SweepRow
from sparktui.visible import printable

MAX_DIFFERENCES = 12


@dataclass(frozen=True, slots=True)
class Resumed:
    """A campaign that goes on."""

    campaign: int
    since: int
    """The id of the event that it goes on with; what is older was told before."""


def resume(campaign: int, *, profile: Profile | None = None, force: bool = False) -> Resumed | None:
    """Have a new runner finish a campaign; None where nothing of it is missing.

    What its last runner left behind is removed first. Waves that are stored are kept, and not measured again.

    Args:
        campaign: Its number.
        profile: What it is thought to be of; None for the one that it was begun with.
        force: Go on with topologies that are not what their first waves were measured on.

    Raises:
        UsageError: It was imported, it or another one is running, or the profile is not its own.
        ProfileError: Its profile cannot be used any more.
        SparktuiError: What was left behind could not be removed, or the runner did not come up.
    """
    with one_at_a_time():
        return _resume(campaign, profile, force)


def _resume(campaign: int, profile: Profile | None, force: bool) -> Resumed | None:
    with Reader(store_path()) as reader:
        row = reader.campaign(campaign)
        _refuse(row)
        own = _profile(row)
        if profile is not None:
            _refuse_other(row, own, profile)
        sweeps, left = _left(reader, campaign)
    if is_finished(row, left, len(own.topologies), own.workload):
        return None
    _clean_up(campaign)
    with Reader(store_path()) as reader:
        sweeps, left = _left(reader, campaign)
        again = _to_reopen(reader, sweeps, left)
    with lock_to_hand_on() as lock:
        sign(lock, campaign)
        event = reopen(store_path(), campaign, again, [cell.id for cell in left.cells], _said(row, left))
        start_stored(campaign, lock, force=force)
    return Resumed(campaign, event)


def _refuse(row: CampaignRow) -> None:
    if row.origin is not None:
        raise UsageError(f"campaign {row.id} was imported: nothing of it can be measured here")
    if running_campaign() == row.id:
        raise UsageError(f"campaign {row.id} is running already", f"`sparktui attach {row.id}` shows it")
    refuse_second()


def _profile(row: CampaignRow) -> Profile:
    try:
        return parse_profile(row.profile_yaml, f"of campaign {row.id}")
    except ProfileError as error:
        hint = "an older sparktui stored it: finish it with that one, or run it anew"
        raise ProfileError(
            f"campaign {row.id} cannot go on: its profile cannot be used by sparktui {__version__}",
            error.problems,
            hint,
        ) from error


def _refuse_other(row: CampaignRow, own: Profile, given: Profile) -> None:
    found = differences(own, given)
    if not found:
        return
    more = f"; and {len(found) - MAX_DIFFERENCES} more" if len(found) > MAX_DIFFERENCES else ""
    raise UsageError(
        f"campaign {row.id} was begun with another profile: {'; '.join(found[:MAX_DIFFERENCES])}{more}",
        f"`sparktui resume {row.id}` goes on with its own; a changed profile is a campaign of its own",
    )


def _left(reader: Reader, campaign: int) -> tuple[list[SweepRow], Left]:
    sweeps = reader.sweeps(campaign)
    return sweeps, what_is_left(sweeps, {sweep.id: reader.cells(sweep.id) for sweep in sweeps})


def nothing_missing(campaign: int) -> str:
    """Say that nothing of a campaign is left to measure, and of what that is so because it was skipped."""
    with Reader(store_path()) as reader:
        skipped = [sweep.topology for sweep in reader.sweeps(campaign) if _ended_early(reader, sweep)]
    if not skipped:
        return f"campaign {campaign} has all its waves: nothing is missing"
    names = printable(", ".join(skipped))
    return f"campaign {campaign}: nothing is missing but what was skipped, of {names}; a new race measures that"


def _ended_early(reader: Reader, sweep: SweepRow) -> bool:
    return any(cell.ended_by == ENDED_EARLY for cell in reader.cells(sweep.id))


def _to_reopen(reader: Reader, sweeps: Sequence[SweepRow], left: Left) -> list[int]:
    """Return the sweeps that have cells open, and those that a break kept from being called done."""
    early = {sweep.id for sweep in sweeps if _ended_early(reader, sweep)}
    has_open = {sweep.id for sweep in left.sweeps}
    return [s.id for s in sweeps if s.id in has_open or (s.state == "stopped" and s.id not in early)]


def _clean_up(campaign: int) -> None:
    found = asyncio.run(clean_up(campaign))
    if found:
        error = SparktuiError(
            f"campaign {campaign} cannot go on: left behind by its last runner: {'; '.join(found)}",
            f"remove it, or `sparktui stop {campaign}` tries again",
        )
        error.exit_code = ExitCode.PARTIAL
        raise error


def _said(row: CampaignRow, left: Left) -> str:
    versions = "" if row.version == __version__ else f"; begun with sparktui {row.version}, goes on with {__version__}"
    return f"campaign {row.id} goes on: {left}{versions}"
