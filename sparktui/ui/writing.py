"""What the app writes to files: in a thread, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from sparktui.errors import SparktuiError
from sparktui.exporting.names import BENCHY, FORMATS, Format
from sparktui.store.atomic import write_atomically
from sparktui.ui.messages import FileWritten, WorkFailed
from sparktui.ui.snapshot import Topology

GROUP = "export"
ENDINGS: dict[Format, str] = {
    "csv": "csv",
    "csv-wide": "wide.csv",
    "json": "json",
    "markdown": "md",
    "svg": "svg",
    "html": "html",
    "benchy-json": "benchy.json",
    "benchy-csv": "benchy.csv",
    "benchy-md": "benchy.md",
}


def write(app: App[Any], path: Path, chunks: Callable[[], Iterable[bytes]]) -> None:
    """Write a file in a thread; the app gets `FileWritten`, or `WorkFailed` where that could not be done."""
    app.run_worker(partial(_write, app, path, chunks), thread=True, group=GROUP)


def _write(app: App[Any], path: Path, chunks: Callable[[], Iterable[bytes]]) -> None:
    try:
        write_atomically(path, chunks())
        app.post_message(FileWritten(path))
    except SparktuiError as error:
        app.post_message(WorkFailed(error))


def campaign_chunks(store: Path, campaign: int, form: Format, topology: str | None) -> Iterator[bytes]:
    """Return a whole campaign in a format, piece by piece.

    Raises:
        UsageError: There is no such campaign, or the format cannot hold what was measured.
        StoreError: The store cannot be read.
    """
    from sparktui.exporting.files import chunks
    from sparktui.store.reader import Reader

    with Reader(store) as reader:
        yield from chunks(reader, campaign, form, topology=topology)


def full_exports(topologies: Iterable[Topology]) -> Iterator[tuple[Format, str | None]]:
    """Return every format there is, with the topology to write where a format holds one alone."""
    names = [topology.name for topology in topologies]
    for form in FORMATS:
        if form in BENCHY:
            yield from ((form, name) for name in names)
        else:
            yield form, None
