"""`sparktui skip`: ends the topology that is being measured, and the race goes on with the next."""

from __future__ import annotations

import click

from sparktui.errors import UsageError
from sparktui.paths import store_path
from sparktui.runner.lock import has_runner, named_or_running
from sparktui.store.control import request_control
from sparktui.store.reader import Reader
from sparktui.store.rows import SWEEP_OVER
from sparktui.visible import printable


def skip_topology(name: str | None) -> None:
    """Ask the runner of a campaign, by its number or `last`, or of the running one, to go on with the next topology.

    Raises:
        UsageError: There is no such campaign, it is not running, or none of its topologies is up.
        StoreError: The request could not be written.
    """
    with Reader(store_path()) as reader:
        campaign = reader.resolve(named_or_running(name))
        under_way = [s.topology for s in reader.sweeps(campaign) if s.state not in {"waiting", *SWEEP_OVER}]
    if not has_runner(campaign):
        raise UsageError(
            f"campaign {campaign} is not running", "`sparktui resume` goes on with one that is not finished"
        )
    if not under_way:
        raise UsageError(f"campaign {campaign} is between two topologies: none is up", "type it again once one is")
    request_control(store_path(), campaign, "end-topology", under_way[0])
    text = f"asked campaign {campaign} to end {under_way[0]} and go on with the next topology"
    click.echo(printable(f"{text}; what it has measured is kept"), err=True)
