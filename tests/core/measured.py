"""Records and campaigns whose figures can be worked out by hand, for the tests of store, measure and compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.measure.record import RequestRecord, WaveRecord, pack_event_tokens, pack_events
from sparktui.store.writer import Writer


def request(
    slot: int = 0,
    *,
    sent_us: int = 0,
    ttft_us: int = 100_000,
    gap_us: int = 10_000,
    tokens: int = 11,
    prompt_tokens: int | None = 100,
    **changes: object,
) -> RequestRecord:
    """Return a stream of one token an event, evenly spaced after the first."""
    deltas = [ttft_us] + [gap_us] * (tokens - 1)
    last_us = sum(deltas)
    fields: dict[str, object] = {
        "slot": slot,
        "sent_us": sent_us,
        "ttfr_us": ttft_us,
        "ttft_us": ttft_us,
        "last_us": last_us,
        "ended_us": last_us + 1_000,
        "first_tokens": 1,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": tokens,
        "token_source": "token_ids",
        "finish": "length",
        "events": pack_events(deltas),
        "event_tokens": pack_event_tokens([1] * tokens),
    }
    return RequestRecord(**{**fields, **changes})  # type: ignore[arg-type]


def failed(slot: int, error: str = "timeout") -> RequestRecord:
    """Return a request that never streamed anything."""
    return RequestRecord(slot=slot, sent_us=0, error=error)


def wave(*requests: RequestRecord, **changes: object) -> WaveRecord:
    """Return a wave of these requests with a client that was neither late nor busy."""
    fields: dict[str, object] = {
        "started_at": 1_000.0,
        "duration_us": 1_000_000,
        "clock": "kernel",
        "lag_p50_us": 20.0,
        "lag_p99_us": 90.0,
        "worker_cpu": 0.1,
        "requests": requests,
    }
    return WaveRecord(**{**fields, **changes})  # type: ignore[arg-type]


def stream_at(tokens_per_s: float, ttft_us: int = 100_000, slot: int = 0) -> RequestRecord:
    """Return a stream that decodes at this rate, to the microsecond."""
    return request(slot, ttft_us=ttft_us, gap_us=round(1e6 / tokens_per_s))


async def store_campaign(
    path: Path,
    rates: Mapping[str, Mapping[int, Sequence[float]]],
    *,
    source: str = "measured",
    taints: Mapping[tuple[str, int], str] | None = None,
) -> int:
    """Store a finished campaign: per topology and level one wave of one stream for each decode rate."""
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="name: race\n", source=source, host="here", version="0.1.0"
        )
        await writer.add_node(campaign, "gf1", {"memory": 1})
        for seq, (topology, levels) in enumerate(rates.items()):
            sweep = await writer.create_sweep(campaign, seq, topology, fingerprint=Fingerprint(model="m").to_json())
            for index, (level, values) in enumerate(levels.items()):
                cell = await writer.create_cell(
                    sweep, index, concurrency=level, pp=100, tg=11, depth=0, runs=len(values)
                )
                await writer.set_cell_state(cell, "measuring")
                await writer.commit_wave(cell, 0, True, wave(stream_at(1.0)))
                for number, rate in enumerate(values):
                    await writer.commit_wave(cell, number, False, wave(stream_at(rate)))
                await writer.set_cell_state(cell, "done", taint=(taints or {}).get((topology, level)))
            await writer.set_sweep_state(sweep, "done")
        await writer.set_campaign_state(campaign, "done", exit_code=0)
    return campaign
