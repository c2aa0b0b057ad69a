"""llama-benchy's progress stream (`--emit-progress`, schema llama-benchy-progress.v1): every token, so whole waves.

Token events carry the wall clock at which they were written, a few microseconds after they were read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ImportFileError
from sparktui.importing.imported import FileOrigin, Imported, ImportedCell, ImportedSweep, ImportedWave, Provenance
from sparktui.importing.known import shared
from sparktui.importing.progress_lines import LONGEST_S, Place, Run, Stream, gather
from sparktui.measure.record import TOKEN_MASK, RequestRecord, WaveRecord, pack_event_tokens, pack_events

CANNOT_KNOW = (
    "which requests load a context",
    "warm-up waves",
    "engine, topology and nodes",
    "sampling",
)


def read(raw: bytes, name: str) -> Imported:
    """Read a progress stream; the wave in flight where an interrupted run ends is left out, and named."""
    run = gather(raw, name)
    left_out: list[str] = []
    cells = tuple(_cells(run, left_out))
    if not cells:
        raise ImportFileError(f"{name}: no complete wave", "was the run interrupted before its first wave had ended?")
    complete = run.status == "ok"
    origin = FileOrigin(
        tool="llama-benchy",
        version=run.version,
        file=name,
        format="benchy-progress",
        cannot_know=CANNOT_KNOW,
        left_out=tuple(left_out),
    )
    latency = run.latency
    sweep = ImportedSweep(
        topology="",
        cells=cells,
        fingerprint=shared(cells, Fingerprint(model=run.model, token_source=_source(cells))),
        state="done" if complete else "stopped",
        latency_mode=latency.mode if latency else None,
        latency_us=latency.latency_s * 1e6 if latency and latency.latency_s is not None else None,
    )
    return Imported(
        name=name,
        sweeps=(sweep,),
        origin=Provenance(sources=(origin,)),
        created=run.started,
        finished=run.ended,
        state="done" if complete else "partial",
        detail=None if complete else f"the run ended as {run.status or 'cut off'}",
    )


def _cells(run: Run, left_out: list[str]) -> Iterator[ImportedCell]:
    waves: dict[Place, list[Stream]] = {}
    for stream in run.streams.values():
        waves.setdefault(stream.place, []).append(stream)
    cells: dict[Place, list[ImportedWave]] = {}
    for place, streams in waves.items():
        if not _whole(run, place, streams):
            left_out.append(f"c{place.concurrency} run {place.run}: its requests had not all ended")
            continue
        mine = cells.setdefault(replace(place, run=0), [])
        mine.append(ImportedWave(len(mine), False, _wave(run.name, streams)))
    for place, complete in cells.items():
        yield ImportedCell(
            concurrency=place.concurrency,
            pp=place.pp,
            tg=place.tg,
            depth=place.depth,
            runs=len(complete),
            waves=tuple(complete),
        )


def _whole(run: Run, place: Place, streams: Sequence[Stream]) -> bool:
    if len(streams) > place.concurrency:
        raise ImportFileError(
            f"{run.name}, line {streams[place.concurrency].line}: {len(streams)} requests in run {place.run} of "
            f"c{place.concurrency}",
            "a run with --enable-prefix-caching has two phases, which this format does not tell apart",
        )
    whole = len(streams) == place.concurrency and all(stream.end is not None for stream in streams)
    if not whole and run.status == "ok":
        raise ImportFileError(
            f"{run.name}, line {streams[0].line}: run {place.run} of c{place.concurrency} lacks requests, "
            "but the file says that it is complete"
        )
    return whole


def _wave(name: str, streams: Sequence[Stream]) -> WaveRecord:
    start = min(stream.sent for stream in streams)
    records = tuple(_record(name, slot, stream, start) for slot, stream in enumerate(streams))
    return WaveRecord(
        started_at=start,
        duration_us=max(record.sent_us + (record.ended_us or 0) for record in records),
        clock="user",
        requests=records,
    )


def _record(name: str, slot: int, stream: Stream, wave_start: float) -> RequestRecord:
    end = stream.end
    assert end is not None
    counted = bool(stream.tokens) and not any(line.estimated for line in stream.tokens)
    times = _times_us(name, stream)
    first = times[0] if times else None
    decode_us = round(min(max(end.decode_seconds or 0.0, 0.0), LONGEST_S) * 1e6)
    return RequestRecord(
        slot=slot,
        sent_us=_us(name, stream, stream.sent - wave_start),
        ttfr_us=None if stream.response is None else round((stream.response.ttfr_s or 0.0) * 1e6),
        ttft_us=first,
        last_us=times[-1] if times else None,
        ended_us=max(times[-1], first + decode_us) if first is not None else _us(name, stream, end.ts - stream.sent),
        first_tokens=stream.tokens[0].count if counted else None,
        prompt_tokens=end.prompt_tokens or None,
        completion_tokens=end.total_tokens,
        token_source="token_ids" if counted else "chunks",
        error=end.error or None,
        events=pack_events([b - a for a, b in zip([0, *times], times, strict=False)]),
        event_tokens=pack_event_tokens([min(line.count or 0, TOKEN_MASK) if counted else 0 for line in stream.tokens]),
    )


def _times_us(name: str, stream: Stream) -> list[int]:
    """Return each token event's arrival, counted from the send; the first by llama-benchy's own exact figure."""
    times: list[int] = []
    for index, line in enumerate(stream.tokens):
        exact = stream.first.ttft_s if index == 0 and stream.first is not None else None
        now = _us(name, stream, line.ts - stream.sent if exact is None else exact)
        times.append(max(now, times[-1]) if times else now)
    return times


def _us(name: str, stream: Stream, seconds: float) -> int:
    if seconds > LONGEST_S:
        raise ImportFileError(f"{name}, line {stream.line}: a request that took more than {LONGEST_S:.0f} s")
    return round(max(seconds, 0.0) * 1e6)


def _source(cells: Sequence[ImportedCell]) -> str | None:
    found = {r.token_source for cell in cells for wave in cell.waves for r in wave.record.requests}
    return found.pop() if len(found) == 1 else None
