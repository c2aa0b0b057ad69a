"""`sparktui delete`: says what would be lost, asks, deletes."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sparktui.errors import UsageError
from sparktui.paths import store_path
from sparktui.runner.delete import delete, losses
from sparktui.store.reader import Reader
from sparktui.visible import printable


def delete_campaigns(names: Sequence[str], *, yes: bool, force: bool) -> None:
    """Delete campaigns by their numbers or `last`.

    Args:
        names: Which.
        yes: Whether to delete without asking.
        force: Whether what they may have left running on a node is no reason against it.
    """
    with Reader(store_path()) as reader:
        campaigns = tuple(dict.fromkeys(reader.resolve(name) for name in names))
        lost = losses(reader, campaigns, force=force)
    for loss in lost:
        click.echo(printable(str(loss)), err=True)
    if not yes and not _confirmed(len(campaigns)):
        click.echo("nothing was deleted", err=True)
        return
    delete(campaigns, force=force)
    click.echo(f"deleted {', '.join(map(str, campaigns))}", err=True)


def _confirmed(campaigns: int) -> bool:
    what = "this campaign" if campaigns == 1 else f"these {campaigns} campaigns"
    try:
        return click.confirm(f"delete {what} for good?", err=True)
    except click.Abort:
        raise UsageError("nothing was deleted: nobody answered", "--yes deletes without asking") from None
