"""What there is, on stdout: the campaigns in the store, and on stderr the profiles to start with."""

from __future__ import annotations

import json

import click

from sparktui.importing.published import PREFIX, PUBLISHED, load_published
from sparktui.moments import local_time
from sparktui.paths import store_path
from sparktui.profile.catalog import list_profiles, own_folder
from sparktui.runner.lock import has_runner
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow
from sparktui.units import UNKNOWN
from sparktui.visible import printable


def print_campaigns(as_json: bool) -> None:
    """Print the campaigns there are, the published ones to compare with, and the profiles to start with."""
    rows, measured = _campaigns()
    if as_json:
        click.echo(json.dumps([_campaign_json(row) for row in rows], indent=2))
        return
    for row in rows:
        started = f"{local_time(row.created, '%Y-%m-%d %H:%M'):16}"
        line = f"{_state(row):<12} {_mark(row, row.id in measured):<10} {row.name}{_further(row)}"
        click.echo(f"{row.id:>4}  {started}  {printable(line)}")
    for name in PUBLISHED:
        date = load_published(name).origin.sources[0].date or UNKNOWN
        click.echo(f"{UNKNOWN:>4}  {date:<16}  {'done':<12} {'published':<10} {PREFIX}{name}")
    if not rows:
        _note("no campaigns yet; `sparktui demo` makes one")
    _note("profiles: " + ", ".join(entry.name for entry in list_profiles()))
    _note(f"your own: {own_folder()}/NAME.yaml is found as NAME; any other file by its path, ./mine.yaml")


def _campaigns() -> tuple[list[CampaignRow], frozenset[int]]:
    """Return every campaign, and which of them have figures."""
    if not store_path().exists():
        return [], frozenset()
    with Reader(store_path()) as reader:
        return reader.campaigns(), reader.with_figures()


def _mark(row: CampaignRow, measured: bool) -> str:
    """Say where its figures come from; nothing where it has none."""
    if row.simulated:
        return "SIMULATED"
    return row.source if measured or row.source != "measured" else UNKNOWN


def _further(row: CampaignRow) -> str:
    """Mark an own export that was imported and kept the source that it had."""
    return " · IMPORTED" if row.imported and row.source != "imported" else ""


def _campaign_json(row: CampaignRow) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "source": row.source,
        "imported": row.imported,
        "state": _state(row),
        "created": row.created,
        "finished": row.finished,
        "exit_code": row.exit_code,
    }


def _state(row: CampaignRow) -> str:
    """Return a campaign's state; one that says it is running, but has no runner any more, was interrupted."""
    if row.state in ("queued", "running") and not has_runner(row.id):
        return "interrupted"
    return row.state


def _note(text: str) -> None:
    click.echo(printable(text), err=True)
