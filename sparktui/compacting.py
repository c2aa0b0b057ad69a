"""`sparktui compact`: says what it would do, asks, does it."""

from __future__ import annotations

import time

import click

from sparktui.errors import UsageError
from sparktui.paths import store_path
from sparktui.runner.compact import compact, compactable
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow
from sparktui.visible import printable

MB = 1_000_000


def compact_campaigns(name: str | None, older_than_s: float | None, *, yes: bool) -> None:
    """Compact campaigns.

    Args:
        name: A campaign's number or `last`; None for all.
        older_than_s: Only those that ended so many seconds ago, or longer.
        yes: Whether to do it without asking.
    """
    before = None if older_than_s is None else time.time() - older_than_s
    with Reader(store_path()) as reader:
        rows = compactable(reader, None if name is None else reader.resolve(name), before)
    if not rows:
        click.echo("nothing to compact", err=True)
        return
    for row in rows:
        click.echo(printable(f"campaign {row.id}, {row.name}"), err=True)
    click.echo(
        "live pictures, engine readings and most node samples go for good; every figure stays as it is", err=True
    )
    if not yes and not _confirmed(rows):
        click.echo("nothing was compacted", err=True)
        return
    saved = compact(rows)
    click.echo(f"compacted {_count(rows)}: the store is {saved / MB:.1f} MB smaller", err=True)


def _confirmed(rows: tuple[CampaignRow, ...]) -> bool:
    try:
        return click.confirm(f"compact {'this campaign' if len(rows) == 1 else f'these {_count(rows)}'}?", err=True)
    except click.Abort:
        raise UsageError("nothing was compacted: nobody answered", "--yes compacts without asking") from None


def _count(rows: tuple[CampaignRow, ...]) -> str:
    return f"{len(rows)} campaign" + ("" if len(rows) == 1 else "s")
