"""`sparktui nodes`, and the line that a campaign's tables say of its fragile nodes."""

from __future__ import annotations

import json

import click

from sparktui.errors import UsageError
from sparktui.nodes.history import ClosestCall
from sparktui.nodes.order import by_number
from sparktui.paths import store_path
from sparktui.recorder.document import to_json
from sparktui.recorder.flight import Records
from sparktui.recorder.text import render
from sparktui.runner.lock import running_campaign
from sparktui.store.reader import Reader


def print_nodes(name: str, last_s: float, *, node: str | None, newest: bool, as_json: bool) -> None:
    """Print the last minutes of a campaign's nodes, by its number or `last`.

    Raises:
        UsageError: There is no such campaign or node, or nothing is known of its nodes.
    """
    with Reader(store_path()) as reader:
        flight = Records(reader, reader.resolve(name)).flight(last_s, node=node, newest=newest)
        left = reader.launched_left(flight.campaign.id)
    click.echo(json.dumps(to_json(flight), indent=2) if as_json else render(flight))
    if left and running_campaign() != flight.campaign.id:
        text = "its runner has ended, and agents may know more than the store"
        click.echo(f"{text}: `sparktui stop {flight.campaign.id}` fetches that and ends them", err=True)


def fragile_nodes(reader: Reader, campaign: int) -> tuple[ClosestCall, ...]:
    """Return how close each fragile node of a campaign came, over all its topologies; nothing of an imported one."""
    try:
        records = Records(reader, campaign)
    except UsageError:
        return ()
    fragile = [node for node in sorted(records.spans, key=by_number) if records.floors.fragile(node)]
    calls = (min(records.closest_calls(node), key=lambda call: call.left_bytes, default=None) for node in fragile)
    return tuple(call for call in calls if call is not None)
