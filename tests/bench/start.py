"""How long after the start of a wave the server has each request: the load worker beside one shared httpx client.

64 requests started together on connections that are already open; in turns. The httpx client has no limit to its pool.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

import httpx

from sparktui.load.link import LoadWorker
from sparktui.measure.record import WaveRecord
from tests.bench.rounds import machine, spread
from tests.bench.stamping import MODEL, StampingServer, stamping_server, start_delays_us, wave_of

TOKENS = 4
PAUSE_S = 0.05
"""Between waves, so that the one before has ended for the server too."""


async def httpx_wave(client: httpx.AsyncClient, url: str, concurrency: int) -> tuple[float, list[str]]:
    """Start a wave; return when, in wall-clock microseconds, and what the server calls its requests."""
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "a few words"}],
        "max_tokens": TOKENS,
        "stream": True,
    }

    async def request() -> str:
        async with client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
            async for _ in response.aiter_bytes():
                pass
            return str(response.headers["x-litellm-model-id"])

    started_us = time.time_ns() / 1e3
    return started_us, await asyncio.gather(*(request() for _ in range(concurrency)))


async def race(server: StampingServer, rounds: int, concurrency: int) -> list[tuple[WaveRecord, float, list[str]]]:
    """Return our wave, and the start and the requests of theirs, round by round; the first round is thrown away."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    done = []
    async with LoadWorker.start() as worker, httpx.AsyncClient(limits=limits, trust_env=False, timeout=60) as client:
        for _ in range(rounds + 1):
            record = await worker.run(wave_of(server, concurrency, TOKENS))
            await asyncio.sleep(PAUSE_S)
            done.append((record, *await httpx_wave(client, server.url, concurrency)))
            await asyncio.sleep(PAUSE_S)
    return done[1:]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    with stamping_server(8000, options.concurrency) as server:
        rounds = asyncio.run(race(server, options.rounds, options.concurrency))
    ours = [median(start_delays_us(server, record)) / 1e3 for record, _, _ in rounds]
    theirs = [median(server.streams[name].arrival_ns / 1e3 - at for name in names) / 1e3 for _, at, names in rounds]
    last = [max(start_delays_us(server, record)) / 1e3 for record, _, _ in rounds]
    print(f"start: wave's start to the server's having a request, c{options.concurrency}; {machine()}")
    print(f"  sparktui, median request  {spread(ours, ' ms', 3)}")
    print(f"  sparktui, last request    {spread(last, ' ms', 3)}")
    print(f"  httpx, median request     {spread(theirs, ' ms', 1)}")
    print(f"  ratio, pair by pair       {spread([a / b for a, b in zip(ours, theirs, strict=True)], '', 5)}")


if __name__ == "__main__":
    main()
