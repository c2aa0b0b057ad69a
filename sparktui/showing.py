"""A campaign's result on stdout, as tables or as data."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sparktui.compare.document import to_json
from sparktui.compare.goodput import NO_LIMITS, UserLimits
from sparktui.compare.summary import summarise
from sparktui.compare.tables import render
from sparktui.live.document import to_json as live_json
from sparktui.measure.calculator_names import DEFAULT
from sparktui.paths import store_path
from sparktui.recorder.command import fragile_nodes
from sparktui.store.reader import Reader
from sparktui.visible import printable


def print_tables(campaign: int, calculator: str = DEFAULT, limits: UserLimits = NO_LIMITS) -> None:
    """Print who wins where, and how many users keep the limits."""
    with Reader(store_path()) as reader:
        click.echo(render(summarise(reader, campaign, calculator=calculator), limits=limits))
        if calls := fragile_nodes(reader, campaign):
            click.echo("\n".join(("", "Fragile nodes", *(f"  {printable(str(call))}" for call in calls))))


def print_result_json(campaign: int, calculator: str = DEFAULT, limits: UserLimits = NO_LIMITS) -> None:
    """Print the same as JSON, and what the wave in flight is doing now."""
    with Reader(store_path()) as reader:
        result = to_json(summarise(reader, campaign, calculator=calculator), limits)
        click.echo(json.dumps({**result, "live": live_json(reader, campaign, time.time())}, indent=2))


def print_result(name: str, as_json: bool, calculator: str = DEFAULT, limits: UserLimits = NO_LIMITS) -> None:
    """Print a campaign's result by its number or `last`."""
    with named(name) as (_, campaign):
        if as_json:
            print_result_json(campaign, calculator, limits)
        else:
            print_tables(campaign, calculator, limits)


@contextmanager
def named(name: str) -> Iterator[tuple[Reader, int]]:
    """Open the store and find a campaign in it by its number or `last`."""
    with Reader(store_path()) as reader:
        yield reader, reader.resolve(name)
