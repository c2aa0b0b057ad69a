"""Our own JSON export, `sparktui.campaign.v1`: everything comes back, down to the last token event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ImportFileError
from sparktui.importing.imported import (
    FileOrigin,
    Imported,
    ImportedCell,
    ImportedEvent,
    ImportedSweep,
    ImportedWave,
    KnownFigure,
    Per,
    Provenance,
)
from sparktui.importing.known import Count, Level, Moment
from sparktui.importing.sources import resumed_source
from sparktui.importing.text import as_json, clean_name
from sparktui.measure.record import RequestRecord, WaveRecord, pack_event_tokens, pack_events
from sparktui.nodes.stamp import NodeStamp
from sparktui.store.rows import CAMPAIGN_OVER, CELL_OVER, SWEEP_OVER

T = TypeVar("T")

FORMAT = "sparktui.campaign.v1"
CANNOT_KNOW = ("samples of nodes and engines",)
_INT32 = 2**31


class Campaign(msgspec.Struct):
    """The campaign's own row."""

    name: str
    source: str
    state: str
    created: Moment
    profile_yaml: str = ""
    finished: Moment | None = None
    host: str = ""
    version: str | None = None
    exit_code: Annotated[int, msgspec.Meta(ge=-1000, le=1000)] | None = None
    detail: str | None = None
    origin: Provenance | str | None = None


class Node(msgspec.Struct):
    """A machine and what was found on it."""

    name: str
    facts: dict[str, Any]


class Event(msgspec.Struct):
    """A line of its log."""

    t: Moment
    level: str
    source: str
    kind: str
    text: str
    data: dict[str, Any] = {}


class Figure(msgspec.Struct):
    """What a calculator made of the waves, or what was known without any."""

    mean: float | None = None
    std: float | None = None
    n: Count | None = None
    per: Per = "wave"
    values: list[float] = []


class Cell(msgspec.Struct):
    """A cell with everything measured in it."""

    concurrency: Level
    pp: Count
    tg: Count
    depth: Count
    shape: str
    runs: Count
    state: str
    taint: str | None = None
    started: Moment | None = None
    ended: Moment | None = None
    server_tokens: Count | None = None
    server_prompt_tokens: Count | None = None
    ended_by: str | None = None
    health: dict[str, NodeStamp] | None = None
    figures: dict[str, Figure] = {}
    waves: list[dict[str, Any]] = []


class Sweep(msgspec.Struct):
    """A topology's sweep."""

    topology: str
    fingerprint: Fingerprint
    state: str
    cells: list[Cell]
    commands: list[Any] = []
    launched: Moment | None = None
    ready: Moment | None = None
    stopped: Moment | None = None
    proof: list[Any] | None = None
    error: str | None = None
    latency_mode: str | None = None
    latency_us: float | None = None


class Export(msgspec.Struct):
    """The file."""

    format: str
    campaign: Campaign
    sweeps: list[Sweep]
    nodes: list[Node] = []
    events: list[Event] = []


def read(raw: bytes, name: str) -> Imported:
    """Read an export of one campaign."""
    export = as_json(raw, Export, name)
    if export.format != FORMAT:
        raise ImportFileError(f"{name}: the format is {export.format[:40]!r}, not {FORMAT}")
    campaign = export.campaign
    origin = FileOrigin(
        tool="sparktui", version=campaign.version, file=name, format="sparktui-json", cannot_know=CANNOT_KNOW
    )
    earlier = _provenance(campaign.origin, name)
    return Imported(
        name=campaign.name,
        source=resumed_source(campaign.source),
        sweeps=tuple(_sweep(sweep, f"{name}: sweeps[{index}]") for index, sweep in enumerate(export.sweeps)),
        origin=Provenance(sources=(origin, *earlier.sources), expectations=earlier.expectations),
        created=campaign.created,
        finished=campaign.finished,
        state=campaign.state if campaign.state in CAMPAIGN_OVER else "partial",
        exit_code=campaign.exit_code,
        detail=campaign.detail,
        host=campaign.host,
        version=campaign.version,
        profile_yaml=campaign.profile_yaml,
        nodes=tuple((node.name, node.facts) for node in export.nodes),
        events=tuple(ImportedEvent(e.t, e.level, e.source, e.kind, e.text, e.data) for e in export.events),
    )


def _provenance(origin: Provenance | str | None, name: str) -> Provenance:
    if isinstance(origin, Provenance):
        return origin
    return as_json(origin.encode(), Provenance, f"{name}: campaign.origin") if origin else Provenance(sources=())


def _sweep(sweep: Sweep, where: str) -> ImportedSweep:
    return ImportedSweep(
        topology=clean_name(sweep.topology, where),
        cells=tuple(_cell(cell, f"{where}.cells[{index}]") for index, cell in enumerate(sweep.cells)),
        fingerprint=sweep.fingerprint,
        commands=sweep.commands,
        state=sweep.state if sweep.state in SWEEP_OVER else "stopped",
        launched=sweep.launched,
        ready=sweep.ready,
        stopped=sweep.stopped,
        proof=sweep.proof,
        error=sweep.error,
        latency_mode=sweep.latency_mode,
        latency_us=sweep.latency_us,
    )


def _cell(cell: Cell, where: str) -> ImportedCell:
    never_ended = "skipped" if cell.state == "waiting" else "failed"
    return ImportedCell(
        concurrency=cell.concurrency,
        pp=cell.pp,
        tg=cell.tg,
        depth=cell.depth,
        shape=cell.shape,
        runs=cell.runs,
        state=cell.state if cell.state in CELL_OVER else never_ended,
        taint=cell.taint,
        figures=() if cell.waves else _known(cell.figures),
        waves=tuple(_wave(wave, f"{where}.waves[{index}]") for index, wave in enumerate(cell.waves)),
        started=cell.started,
        ended=cell.ended,
        server_tokens=cell.server_tokens,
        server_prompt_tokens=cell.server_prompt_tokens,
        ended_by=cell.ended_by,
        health=cell.health,
    )


def _known(figures: Mapping[str, Figure]) -> tuple[KnownFigure, ...]:
    return tuple(
        KnownFigure(name, f.mean, f.std, f.n or len(f.values) or None, f.per, tuple(f.values))
        for name, f in figures.items()
        if f.mean is not None
    )


def _wave(wave: dict[str, Any], where: str) -> ImportedWave:
    requests = _converted(wave.get("requests"), list[dict[str, Any]], f"{where}.requests")
    records = tuple(_request(request, f"{where}.requests[{index}]") for index, request in enumerate(requests))
    known = {name: value for name, value in wave.items() if name != "requests"}
    record = _converted(known, WaveRecord, where)
    _converted(record.started_at, Moment, f"{where}.started_at")
    return ImportedWave(
        _converted(wave.get("seq"), int, f"{where}.seq"),
        _converted(wave.get("warmup"), bool, f"{where}.warmup"),
        msgspec.structs.replace(record, requests=records),
    )


def _request(request: dict[str, Any], where: str) -> RequestRecord:
    times = _converted(request.get("event_times_us"), list[int], f"{where}.event_times_us")
    tokens = _converted(request.get("event_tokens"), list[int], f"{where}.event_tokens")
    known = {name: value for name, value in request.items() if name != "event_tokens"}
    record = _converted(known, RequestRecord, where)
    return msgspec.structs.replace(record, events=_events(times, where), event_tokens=_tokens(tokens, where))


def _events(times_us: Sequence[int], where: str) -> bytes:
    deltas = [b - a for a, b in zip([0, *times_us], times_us, strict=False)]
    if any(not -_INT32 <= delta < _INT32 for delta in deltas):
        raise ImportFileError(f"{where}.event_times_us: a gap of more than {_INT32 // 10**6} s")
    return pack_events(deltas)


def _tokens(values: Sequence[int], where: str) -> bytes:
    if any(not 0 <= value < 2**16 for value in values):
        raise ImportFileError(f"{where}.event_tokens: no 16-bit value")
    return pack_event_tokens(list(values))


def _converted(value: Any, kind: type[T], where: str) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ImportFileError(f"{where}: {error}") from error
