"""How far one load worker goes: the fastest stream it records whole, and the memory that a long sweep leaves it with.

The first half offers 512 streams more and more tokens a second, and prints what came of it: the rate that the server
kept up, how many cores the worker took, and whether each record has every token. The second half sends 6350 requests of
1024 prompt tokens for 128 tokens each, 50 waves at each of c1 to c64, and prints the worker's resident memory.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from sparktui.load.link import LoadWorker
from sparktui.measure.record import WaveRecord, event_times_us
from tests.bench.rounds import machine
from tests.bench.stamping import StampingServer, stamping_server, wave_of

CONCURRENCY = 512
RATES = (20_000, 30_000, 40_000, 50_000, 60_000)
SECONDS = 3.0
LEVELS = (1, 2, 4, 8, 16, 32, 64)
WAVES, PROMPT_TOKENS, TOKENS = 50, 1024, 128


async def flood(server: StampingServer, tokens: int) -> WaveRecord:
    """Run one wave, after a short one that opens the connections."""
    async with LoadWorker.start() as worker:
        await worker.run(wave_of(server, CONCURRENCY, 2))
        return await worker.run(wave_of(server, CONCURRENCY, tokens))


def sent_per_s(server: StampingServer, wave: WaveRecord) -> float:
    """Return the tokens a second that the server sent, from the first to the last of a wave."""
    streams = [server.of(request).sent_ns for request in wave.requests]
    began, ended = min(sent[0] for sent in streams), max(sent[-1] for sent in streams)
    return sum(len(sent) - 1 for sent in streams) / (ended - began) * 1e9


def rate_row(rate: float) -> str:
    """Offer a rate and return what came of it as one line."""
    tokens = max(2, round(rate * SECONDS / CONCURRENCY))
    with stamping_server(rate, CONCURRENCY) as server:
        wave = asyncio.run(flood(server, tokens))
    counts = [len(event_times_us(request)) for request in wave.requests]
    whole = sum(count == tokens and request.error is None for count, request in zip(counts, wave.requests, strict=True))
    # Two tokens of a stream with one arrival came in one read, which was late by a whole step.
    shared = sum(later == earlier for request in wave.requests for earlier, later in pairwise(event_times_us(request)))
    return (
        f"  {rate:6.0f} tok/s offered   {sent_per_s(server, wave):6.0f} sent   {whole}/{CONCURRENCY} records whole   "
        f"worker {wave.worker_cpu or 0:.0%} of a core   lag p50 {(wave.lag_p50_us or 0) / 1e3:.1f} ms "
        f"p99 {(wave.lag_p99_us or 0) / 1e3:.1f} ms   {shared / sum(counts):.1%} of tokens shared a read"
    )


async def sweep(server: StampingServer, waves: int) -> tuple[int, list[tuple[int, float]]]:
    """Run the sweep; return the requests sent, and the worker's resident MB after each level."""
    prompt = "word " * PROMPT_TOKENS
    sent, resident = 0, []
    async with LoadWorker.start() as worker:
        process = psutil.Process(worker.pid)
        most = 0.0
        for level in LEVELS:
            for _ in range(waves):
                record = await worker.run(wave_of(server, level, TOKENS, prompt))
                assert not any(request.error for request in record.requests)
                sent += level
                most = max(most, process.memory_info().rss / 1e6)
            resident.append((level, most))
    return sent, resident


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default=",".join(map(str, RATES)))
    parser.add_argument("--waves", type=int, default=WAVES, help="of each level of the sweep")
    options = parser.parse_args()
    print(f"ceiling: c{CONCURRENCY}, one event a read; {machine()}")
    for rate in options.rates.split(","):
        print(rate_row(float(rate)), flush=True)
    # Faster than any engine, so that it ends today: memory is a matter of requests, not of time.
    with stamping_server(max(LEVELS) * 500, max(LEVELS)) as server:
        sent, resident = asyncio.run(sweep(server, options.waves))
    print(f"memory: {sent} requests, pp{PROMPT_TOKENS} tg{TOKENS}, {options.waves} waves of each level")
    print("  most resident, worker     " + ", ".join(f"c{level} {mb:.0f} MB" for level, mb in resident))


if __name__ == "__main__":
    main()
