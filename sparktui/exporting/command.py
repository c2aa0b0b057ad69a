"""What `sparktui export` does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from sparktui.compare.select import selected
from sparktui.errors import UsageError
from sparktui.exporting.files import chunks, export
from sparktui.exporting.names import FORMATS, Format, format_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What to write, as typed."""

    form: Format | None = None
    output: Path | None = None
    calculator: str | None = None
    topology: str | None = None

    @property
    def format(self) -> Format:
        """The format that was named, or else the one that the file's ending stands for.

        Raises:
            UsageError: Neither says which.
        """
        form = self.form or (format_of(self.output) if self.output else None)
        if form is None:
            what = f"the ending of {self.output.name!r} does not say which format" if self.output else "no format"
            raise UsageError(what, f"name it with --format: {', '.join(FORMATS)}")
        return form


def export_campaign(text: str, asked: Asked, store: Path) -> None:
    """Write a campaign, by its number, `last` or `published/NAME`, to a file or to stdout.

    Raises:
        UsageError: There is no such campaign; it cannot be written in that format or to that place.
        StoreError: The store cannot be read.
    """
    form = asked.format
    with selected([text], store) as (selection,):
        topology = asked.topology or selection.topology
        options = {"calculator": asked.calculator, "topology": topology}
        if asked.output is None:
            for chunk in chunks(selection.reader, selection.campaign, form, **options):
                click.echo(chunk, nl=False)
            return
        export(selection.reader, selection.campaign, form, asked.output, **options)
    click.echo(f"wrote {asked.output}", err=True)
