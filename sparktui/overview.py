"""What `sparktui` alone says where no screen can be drawn: what is running, what was run, and what can be typed."""

from __future__ import annotations

import click

from sparktui.listing import print_campaigns

WITHOUT = """\
  sparktui demo            the whole race on simulated nodes
  sparktui check PROFILE   look at the nodes of a profile before a launch
  sparktui run PROFILE     run a race
  sparktui show ID         who wins, as tables
  sparktui --help          everything else"""


def print_overview(running: int | None) -> None:
    """Print the campaigns on stdout, and on stderr what can be done.

    Args:
        running: The campaign that is under way.
    """
    if running is not None:
        click.echo(f"campaign {running} is running: sparktui attach {running}", err=True)
    print_campaigns(as_json=False)
    click.echo(WITHOUT, err=True)
