"""A campaign as a file: CSV, one row a figure, and JSON, everything the store holds. Both name what is simulated."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from sparktui import __version__
from sparktui.compare.summary import MeasuredCell, measured_cells
from sparktui.measure.cell import Figure
from sparktui.measure.record import RequestRecord, event_times_us, event_token_values
from sparktui.store.atomic import write_atomically
from sparktui.store.failures import store_errors
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, SweepRow, WaveRow

Format = Literal["csv", "json"]

CSV_COLUMNS = (
    "campaign",
    "name",
    "source",
    "sparktui",
    "topology",
    "pp",
    "tg",
    "depth",
    "shape",
    "concurrency",
    "metric",
    "unit",
    "better",
    "per",
    "mean",
    "std",
    "n",
    "calculator",
    "token_source",
    "clock",
    "state",
    "waves",
    "requests",
    "errors",
    "taint",
)
"""One row a campaign, topology, workload, concurrency and metric: `mean` and sample `std` over `n` values, one value
`per` wave or per request, warm-up waves left out. A cell without figures has one row with an empty metric."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(reader: Reader, campaign: int, form: Format, path: Path) -> None:
    """Write a campaign to a file of mode 0600, whole or not at all; a file of that name is replaced.

    Raises:
        UsageError: There is no such campaign, or the path cannot be written to.
        StoreError: The store cannot be read.
    """
    write_atomically(path, chunks(reader, campaign, form))


def chunks(reader: Reader, campaign: int, form: Format) -> Iterator[bytes]:
    """Return a campaign's export piece by piece, for a stream such as stdout."""
    row = reader.campaign(campaign)
    return _csv(reader, row) if form == "csv" else _json(reader, row)


def _csv(reader: Reader, campaign: CampaignRow) -> Iterator[bytes]:
    yield _csv_line(CSV_COLUMNS)
    for sweep in reader.sweeps(campaign.id):
        for measured in measured_cells(reader, sweep, events=True):
            figures: list[Figure | None] = [*measured.figures.figures.values()]
            for figure in figures or [None]:
                yield _csv_line(_csv_values(campaign, measured, figure))


def _csv_values(campaign: CampaignRow, measured: MeasuredCell, figure: Figure | None) -> tuple[object, ...]:
    cell, figures = measured.cell, measured.figures
    kind = figure.kind if figure else None
    return (
        campaign.id,
        campaign.name,
        campaign.source,
        campaign.version,
        measured.topology,
        cell.pp,
        cell.tg,
        cell.depth,
        cell.shape,
        cell.concurrency,
        kind.name if kind else None,
        kind.unit if kind else None,
        kind.better if kind else None,
        kind.per if kind else None,
        figure.mean if figure else None,
        figure.sample_std if figure else None,
        figure.n if figure else 0,
        figures.calculator,
        figures.token_source,
        figures.clock,
        cell.state,
        figures.waves,
        figures.requests,
        figures.errors,
        measured.barred,
    )


def _csv_line(values: tuple[object, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([_csv_cell(value) for value in values])
    return line.getvalue().encode()


def _csv_cell(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula; floats are written so that they read back the same."""
    if isinstance(value, float):
        return repr(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json(reader: Reader, campaign: CampaignRow) -> Iterator[bytes]:
    """Write wave by wave: a long campaign's token events would not fit into memory as one value."""
    head: dict[str, object] = {"format": "sparktui.campaign.v1", "sparktui": __version__}
    if campaign.simulated:
        head = {"SIMULATED": "made by the embedded engine: not a measurement", **head}
    head |= {
        "simulated": campaign.simulated,
        "campaign": campaign,
        "nodes": [{"name": node.name, "facts": node.facts} for node in reader.nodes(campaign.id)],
        "events": [_without(event, "data_json", data=event.data) for event in reader.events_since(campaign.id)],
    }
    yield _encoded(head)[:-1]
    yield b',"sweeps":['
    for number, sweep in enumerate(reader.sweeps(campaign.id)):
        yield b"," if number else b""
        yield from _json_sweep(reader, sweep)
    yield b"]}\n"


def _json_sweep(reader: Reader, sweep: SweepRow) -> Iterator[bytes]:
    with store_errors(reader.path):
        decoded = {
            "fingerprint": msgspec.json.decode(sweep.fingerprint),
            "commands": msgspec.json.decode(sweep.commands),
            "proof": None if sweep.proof is None else msgspec.json.decode(sweep.proof),
        }
    yield _encoded(_without(sweep, **decoded))[:-1]
    yield b',"cells":['
    for number, measured in enumerate(measured_cells(reader, sweep, events=True)):
        yield b"," if number else b""
        yield from _json_cell(reader, measured)
    yield b"]}"


def _json_cell(reader: Reader, measured: MeasuredCell) -> Iterator[bytes]:
    yield _encoded(_without(measured.cell, barred=measured.barred, **_json_figures(measured)))[:-1]
    yield b',"waves":['
    for number, wave in enumerate(reader.waves(measured.cell.id, events=True)):
        yield (b"," if number else b"") + _encoded(_json_wave(wave))
    yield b"]}"


def _json_figures(measured: MeasuredCell) -> dict[str, object]:
    figures = measured.figures
    return {
        "calculator": figures.calculator,
        "token_source": figures.token_source,
        "clock": figures.clock,
        "requests": figures.requests,
        "errors": figures.errors,
        "error_kinds": figures.error_kinds,
        "figures": {
            name: {"unit": f.kind.unit, "per": f.kind.per, "mean": f.mean, "std": f.sample_std, "values": f.values}
            for name, f in figures.figures.items()
        },
    }


def _json_wave(wave: WaveRow) -> dict[str, object]:
    return {
        "id": wave.id,
        "seq": wave.seq,
        "warmup": wave.warmup,
        **_without(wave.record, "requests"),
        "requests": [_json_request(request) for request in wave.record.requests],
    }


def _json_request(request: RequestRecord) -> dict[str, object]:
    return {
        **_without(request, "events", "event_tokens"),
        "event_times_us": event_times_us(request),
        "event_tokens": event_token_values(request),
    }


def _without(value: object, *names: str, **instead: object) -> dict[str, object]:
    """Return a record's fields as a dict, some left out and some replaced or added."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return {name: field for name, field in plain.items() if name not in names} | instead


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value)
