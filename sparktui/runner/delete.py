"""`sparktui delete`: campaigns and everything measured in them, gone for good; others are not touched."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass

from sparktui.errors import StoreError, UsageError
from sparktui.paths import run_dir, store_path
from sparktui.runner.lock import running_campaign
from sparktui.store.control import delete_campaigns
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, HoldingRow
from sparktui.units import whole


@dataclass(frozen=True, slots=True)
class Loss:
    """What goes with one campaign."""

    campaign: CampaignRow
    holding: HoldingRow

    def __str__(self) -> str:
        held = self.holding
        what = (
            f"{_count(held.waves, 'wave')}, {_count(held.requests, 'request')}, {_count(held.samples, 'node sample')}"
        )
        return f"campaign {self.campaign.id}, {self.campaign.name}: {what}"


def losses(reader: Reader, campaigns: Collection[int], *, force: bool = False) -> tuple[Loss, ...]:
    """Return what would be lost, after making sure that it may be.

    Args:
        reader: The store.
        campaigns: Which.
        force: Whether what they may have left running on a node is no reason against it.

    Raises:
        UsageError: There is no such campaign, or something that it started may still be there; or any is running: to
            delete a large one locks the store for seconds, in which no wave could be written.
    """
    if (busy := running_campaign()) is not None:
        raise UsageError(
            f"campaign {busy} is running: nothing is deleted meanwhile", f"wait for it, or `sparktui stop {busy}` first"
        )
    for campaign in campaigns:
        if not force and (left := reader.launched_left(campaign)):
            raise UsageError(
                f"campaign {campaign} may have left {left[0].title} running on {left[0].node}",
                f"`sparktui stop {campaign}` removes it; --force forgets it",
            )
    return tuple(Loss(reader.campaign(campaign), reader.holding(campaign)) for campaign in campaigns)


def delete(campaigns: Collection[int], *, force: bool = False) -> None:
    """Delete campaigns from the store, all or none, then the folders of their logs; arguments as of `losses`.

    Raises:
        UsageError: As `losses`.
        StoreError: They could not be deleted; or they are, and a folder is left.
    """
    with Reader(store_path()) as reader:
        losses(reader, campaigns, force=force)
    delete_campaigns(store_path(), campaigns)
    for campaign in campaigns:
        _remove_folder(campaign)


def _remove_folder(campaign: int) -> None:
    try:
        shutil.rmtree(run_dir(campaign))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"campaign {campaign} is deleted, but not all of its folder {run_dir(campaign)}: {error.strerror}",
            "remove it by hand",
        ) from error


def _count(number: int, name: str) -> str:
    return f"{whole(number)} {name}" + ("" if number == 1 else "s")
