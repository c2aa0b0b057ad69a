"""A campaign in a format, as chunks for a stream or as a file of mode 0600."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sparktui.exporting import benchy_files, campaign_json, html, markdown, svg, tidy_csv, wide_csv
from sparktui.exporting.benchy import DEFAULT_CALCULATOR
from sparktui.exporting.names import BENCHY, Format
from sparktui.exporting.subject import Subject
from sparktui.measure.calculators import DEFAULT, find_calculator
from sparktui.store.atomic import write_atomically
from sparktui.store.reader import Reader

_WRITERS: Mapping[Format, Callable[[Subject], Iterator[bytes]]] = {
    "csv": tidy_csv.chunks,
    "csv-wide": wide_csv.chunks,
    "json": campaign_json.chunks,
    "markdown": markdown.chunks,
    "svg": svg.chunks,
    "html": html.chunks,
    "benchy-json": benchy_files.json_chunks,
    "benchy-csv": benchy_files.csv_chunks,
    "benchy-md": benchy_files.markdown_chunks,
}


def chunks(
    reader: Reader, campaign: int, form: Format, *, calculator: str | None = None, topology: str | None = None
) -> Iterator[bytes]:
    """Return a campaign's export piece by piece.

    Args:
        reader: The store.
        campaign: Its number.
        form: What to write.
        calculator: What turns token events into figures; the format's own where left out.
        topology: The only one to write; None for all. llama-benchy's formats hold one.

    Raises:
        UsageError: There is no such campaign, topology or calculator, or the format cannot hold what was measured.
        StoreError: The store cannot be read.
    """
    chosen = find_calculator(calculator or (DEFAULT_CALCULATOR if form in BENCHY else DEFAULT))
    subject = Subject(reader, reader.campaign(campaign), chosen.name, topology)
    subject.sweeps()  # a topology that is not there is refused before anything is on stdout
    return _WRITERS[form](subject)


def export(
    reader: Reader,
    campaign: int,
    form: Format,
    path: Path,
    *,
    calculator: str | None = None,
    topology: str | None = None,
) -> None:
    """Write a campaign to a file of mode 0600, whole or not at all; a file of that name is replaced.

    Raises:
        UsageError: As `chunks`, or the path cannot be written to.
        StoreError: The store cannot be read.
    """
    write_atomically(path, chunks(reader, campaign, form, calculator=calculator, topology=topology))
