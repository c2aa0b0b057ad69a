"""CPU per token event: the load worker's whole process beside llama-benchy 0.3.5's own client, in turns.

64 streams, 8000 tok/s, one event a read. Both processes are up before the first round; start-up is not counted. What is
counted of the worker is all it does for a wave: taking the order, stamping, decoding, pictures, the record.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sparktui.load.link import LoadWorker
from sparktui.measure.record import event_times_us
from tests.bench.rounds import cpu_ns, machine, spread
from tests.bench.stamping import MODEL, StampingServer, stamping_server, wave_of
from tests.real import llama_benchy

DRIVER = Path(__file__).with_name("benchy_client.py")
VERSION: llama_benchy.Version = "0.3.5"


async def ours(worker: LoadWorker, server: StampingServer, concurrency: int, tokens: int) -> float:
    """Run one wave; return the worker's CPU microseconds per event."""
    before_ns = cpu_ns(worker.pid)
    record = await worker.run(wave_of(server, concurrency, tokens))
    used_ns = cpu_ns(worker.pid) - before_ns
    events = sum(len(event_times_us(request)) for request in record.requests)
    assert events == concurrency * tokens
    return used_ns / 1e3 / events


def theirs(client: subprocess.Popen[str]) -> float:
    """Run one wave; return llama-benchy's CPU microseconds per event."""
    assert client.stdin is not None
    assert client.stdout is not None
    before_ns = cpu_ns(client.pid)
    client.stdin.write("wave\n")
    client.stdin.flush()
    events = int(client.stdout.readline())
    return (cpu_ns(client.pid) - before_ns) / 1e3 / events


@contextmanager
def benchy_client(server: StampingServer, concurrency: int, tokens: int) -> Iterator[subprocess.Popen[str]]:
    """Keep llama-benchy's client ready for waves."""
    built = llama_benchy.ensure()
    argv = [str(built.python), str(DRIVER), server.url, MODEL, str(concurrency), str(tokens)]
    env = {**os.environ, "PYTHONPATH": str(built.wheel(VERSION)), "NO_PROXY": "127.0.0.1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, text=True) as client:
        yield client
        assert client.stdin is not None
        client.stdin.close()


async def race(rounds: int, concurrency: int, tokens_per_s: float, tokens: int) -> list[tuple[float, float]]:
    """Return microseconds per event, ours and theirs, round by round; a round before the first is thrown away."""
    with (
        stamping_server(tokens_per_s, concurrency) as server,
        benchy_client(server, concurrency, tokens) as client,
    ):
        async with LoadWorker.start() as worker:
            pairs = []
            for _ in range(rounds + 1):
                us = await ours(worker, server, concurrency, tokens)
                pairs.append((us, await asyncio.to_thread(theirs, client)))
            return pairs[1:]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rate", type=float, default=8000.0, help="tokens a second, of all streams")
    parser.add_argument("--tokens", type=int, default=128, help="tokens of each stream")
    options = parser.parse_args()
    pairs = asyncio.run(race(options.rounds, options.concurrency, options.rate, options.tokens))
    print(f"cost: CPU per event, c{options.concurrency}, {options.rate:.0f} tok/s; {machine()}")
    print(f"  sparktui's load worker    {spread([us for us, _ in pairs], ' us')}")
    print(f"  llama-benchy {VERSION}        {spread([us for _, us in pairs], ' us')}")
    print(f"  ratio, pair by pair       {spread([us / their_us for us, their_us in pairs], '', 3)}")


if __name__ == "__main__":
    main()
