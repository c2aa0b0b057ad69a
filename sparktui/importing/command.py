"""`sparktui import`: files into one campaign, all of them or none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sparktui.errors import UsageError
from sparktui.importing.formats import FORMATS, Format, read
from sparktui.importing.imported import Imported
from sparktui.importing.joining import join
from sparktui.importing.save import save
from sparktui.importing.text import read_bytes
from sparktui.paths import store_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says beside the files."""

    form: Format | None = None
    topologies: tuple[str, ...] = ()
    """One a file, in their order; none to take what the files say."""
    name: str | None = None
    version: str | None = None


def read_files(paths: Sequence[Path], asked: Asked) -> Imported:
    """Read files into one campaign.

    Raises:
        UsageError: Not as many topologies as files.
        ImportFileError: A file cannot be read, or two contradict each other.
    """
    if asked.topologies and len(asked.topologies) != len(paths):
        raise UsageError(
            f"{len(asked.topologies)} topologies for {len(paths)} files",
            "--topology takes one name a file: solo,cluster",
        )
    names = asked.topologies or (None,) * len(paths)
    parts = [
        read(read_bytes(path), path.name, form=asked.form, topology=topology, version=asked.version)
        for path, topology in zip(paths, names, strict=True)
    ]
    return join(parts, asked.name)


def find_format(name: str | None) -> Format | None:
    """Return a format by its name; None for None.

    Raises:
        UsageError: There is none of that name; the hint lists those there are.
    """
    found = next((form for form in FORMATS if form == name), None)
    if name is not None and found is None:
        raise UsageError(f"no format {name!r}", "there are " + ", ".join(FORMATS))
    return found


def print_import(paths: Sequence[Path], asked: Asked, as_json: bool) -> None:
    """Store files as one campaign and say what they held, and what they cannot tell.

    Raises:
        UsageError, ImportFileError: As `read_files`; nothing is stored then.
        StoreError: The store cannot be written.
    """
    imported = read_files(paths, asked)
    campaign = save(store_path(), imported)
    if as_json:
        click.echo(json.dumps({"id": campaign, "name": imported.name, **summary(imported)}, indent=2))
        return
    click.echo(f"campaign {campaign}: {_shown(imported.name)} · {_source(imported)} · {_contents(imported)}")
    for line in notes(imported):
        click.echo(f"  {_shown(line)}", err=True)


def summary(imported: Imported) -> dict[str, object]:
    """Return what the files held, as data."""
    cells = [cell for sweep in imported.sweeps for cell in sweep.cells]
    return {
        "source": imported.source,
        "topologies": [sweep.topology for sweep in imported.sweeps],
        "cells": len(cells),
        "waves": sum(len(cell.waves) for cell in cells),
        "figures": sum(len(cell.figures) for cell in cells),
        "notes": notes(imported),
    }


def notes(imported: Imported) -> list[str]:
    """Return what was left out and what the files cannot tell, once each."""
    sources = imported.origin.sources
    left_out = [f"{source.file}: left out {what}" for source in sources for what in source.left_out]
    unknown = dict.fromkeys(what for source in sources for what in source.cannot_know)
    return [*left_out, *(f"not known: {what}" for what in unknown)]


def _contents(imported: Imported) -> str:
    topologies = ", ".join(_shown(sweep.topology) for sweep in imported.sweeps)
    cells = [cell for sweep in imported.sweeps for cell in sweep.cells]
    waves = sum(len(cell.waves) for cell in cells)
    return f"{topologies} · {len(cells)} cells" + (f", {waves} waves" if waves else "")


def _source(imported: Imported) -> str:
    return "SIMULATED" if imported.source == "simulated" else imported.source


def _shown(text: str) -> str:
    """Return a file's words as a terminal shows and never obeys them."""
    return "".join(c if c.isprintable() else "?" for c in text)
