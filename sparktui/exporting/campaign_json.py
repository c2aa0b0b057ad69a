"""JSON with everything that was measured, in the shape of `campaign.schema.json` beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sparktui import __version__
from sparktui.compare.cells import MeasuredCell
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import SIMULATED
from sparktui.measure.record import RequestRecord, event_times_us, event_token_values
from sparktui.store.failures import store_errors
from sparktui.store.rows import SweepRow, WaveRow
from sparktui.visible import visible_json

FORMAT = "sparktui.campaign.v1"


def chunks(subject: Subject) -> Iterator[bytes]:
    """Return the file wave by wave: a long campaign's token events would not fit into memory as one value."""
    yield _encoded(_head(subject))[:-1]
    yield b',"sweeps":['
    for number, sweep in enumerate(subject.sweeps()):
        yield b"," if number else b""
        yield from _sweep(subject, sweep)
    yield b"]}\n"


def _head(subject: Subject) -> dict[str, object]:
    campaign, reader = subject.campaign, subject.reader
    mark: dict[str, object] = {"SIMULATED": SIMULATED} if subject.simulated else {}
    with store_errors(reader.path):
        origin = None if campaign.origin is None else msgspec.json.decode(campaign.origin)
    return mark | {
        "format": FORMAT,
        "sparktui": __version__,
        "simulated": subject.simulated,
        "campaign": _without(campaign, origin=origin),
        "nodes": [{"name": node.name, "facts": node.facts} for node in reader.nodes(campaign.id)],
        "events": [_without(event, "data_json", data=event.data) for event in reader.events_since(campaign.id)],
    }


def _sweep(subject: Subject, sweep: SweepRow) -> Iterator[bytes]:
    with store_errors(subject.reader.path):
        decoded = {
            "fingerprint": msgspec.json.decode(sweep.fingerprint),
            "commands": msgspec.json.decode(sweep.commands),
            "proof": None if sweep.proof is None else msgspec.json.decode(sweep.proof),
        }
    yield _encoded(_without(sweep, **decoded))[:-1]
    yield b',"cells":['
    for number, measured in enumerate(subject.cells(sweep)):
        yield b"," if number else b""
        yield from _cell(subject, measured)
    yield b"]}"


def _cell(subject: Subject, measured: MeasuredCell) -> Iterator[bytes]:
    yield _encoded(_without(measured.cell, **_beside(measured), **_figures(measured)))[:-1]
    yield b',"waves":['
    for number, wave in enumerate(subject.reader.waves(measured.cell.id, events=True)):
        yield (b"," if number else b"") + _encoded(_wave(wave))
    yield b"]}"


def _beside(measured: MeasuredCell) -> dict[str, object]:
    return {"barred": measured.barred, "health": measured.cell.health_by_node}


def _figures(measured: MeasuredCell) -> dict[str, object]:
    figures = measured.figures
    return {
        "calculator": figures.calculator,
        "token_source": figures.token_source,
        "clock": figures.clock,
        "requests": figures.requests,
        "errors": figures.errors,
        "error_kinds": figures.error_kinds,
        "figures": {
            name: {
                "unit": f.kind.unit,
                "per": f.kind.per,
                "mean": f.mean,
                "std": f.sample_std,
                "n": f.n,
                "values": f.values,
            }
            for name, f in figures.figures.items()
        },
    }


def _wave(wave: WaveRow) -> dict[str, object]:
    return {
        "id": wave.id,
        "seq": wave.seq,
        "warmup": wave.warmup,
        **_without(wave.record, "requests"),
        "requests": [_request(request) for request in wave.record.requests],
    }


def _request(request: RequestRecord) -> dict[str, object]:
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
    return visible_json(msgspec.json.encode(value))
