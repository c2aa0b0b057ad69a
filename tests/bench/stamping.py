"""The stamping server: compiled, started on a free port, and what it says it sent afterwards."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

from sparktui.load.messages import StartWave
from sparktui.load.request import Ask, Prompt, build_request, target_of
from sparktui.measure.record import RequestRecord, WaveRecord, event_times_us

SOURCE = Path(__file__).with_name("stamping_server.c")
MODEL = "stamping"
DEADLINE_S = 20.0
WAVE_TIMEOUT_S = 120.0
_STREAM = Struct("=IIq")


@dataclass(frozen=True, slots=True)
class SentStream:
    """What the server did to one request; times are wall-clock nanoseconds."""

    arrival_ns: int
    """When the whole request was there."""
    sent_ns: array[int]
    """Right before each token was sent."""


@dataclass(slots=True)
class StampingServer:
    """A running server, or one that has ended."""

    url: str
    streams: dict[str, SentStream] = field(default_factory=dict)
    """Known once it has ended, by what the client was told in X-LiteLLM-Model-Id."""

    def of(self, request: RequestRecord) -> SentStream:
        """Return what the server did to a request."""
        assert request.error is None, request.error
        assert request.backend is not None
        return self.streams[request.backend]


@contextmanager
def stamping_server(tokens_per_s: float, concurrency: int) -> Iterator[StampingServer]:
    """Run a server that gives `concurrency` streams `tokens_per_s` in all."""
    interval_us = round(1e6 * concurrency / tokens_per_s)
    with tempfile.TemporaryDirectory(prefix="sparktui-bench-") as folder:
        log = Path(folder, "log")
        argv = [str(_compiled(Path(folder))), str(interval_us), str(log)]
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            server = StampingServer(f"http://127.0.0.1:{int(process.stdout.readline())}")
            try:
                yield server
            finally:
                process.terminate()
                code = process.wait(DEADLINE_S)
        assert code == 0, f"the stamping server ended with {code}"
        server.streams |= _read(log.read_bytes())


def _compiled(folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("These benchmarks need a C compiler (cc).")
    program = folder / "stamping_server"
    subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], check=True)
    return program


def _read(log: bytes) -> dict[str, SentStream]:
    streams, at = {}, 0
    while at < len(log):
        number, tokens, arrival_ns = _STREAM.unpack_from(log, at)
        at += _STREAM.size
        sent_ns = array("q", log[at : at + 8 * tokens])
        at += len(sent_ns) * 8
        streams[str(number)] = SentStream(arrival_ns, sent_ns)
    return streams


def wave_of(server: StampingServer, concurrency: int, tokens: int, prompt: str = "a few words") -> StartWave:
    """Return the order for one wave, each request of `tokens` tokens."""
    request = build_request(server.url, Ask(MODEL, tokens), Prompt(prompt))
    return StartWave(target_of(server.url), (request,) * concurrency, WAVE_TIMEOUT_S)


def start_delays_us(server: StampingServer, wave: WaveRecord) -> list[float]:
    """Return how long after the wave's start each request was with the server."""
    return [server.of(request).arrival_ns / 1e3 - wave.started_at * 1e6 for request in wave.requests]


def stamp_errors_us(server: StampingServer, wave: WaveRecord, *, own_read: bool = False) -> list[float]:
    """Return how long after its send each token was stamped, as recorded: in whole microseconds, rounded down twice.

    With `own_read`, tokens that share the arrival of the one after them, for having come in one read, are left out.
    """
    errors = []
    for request in wave.requests:
        start_us = wave.started_at * 1e6 + request.sent_us
        times_us = event_times_us(request)
        for sent_ns, at_us, next_us in zip(server.of(request).sent_ns, times_us, [*times_us[1:], None], strict=True):
            if not own_read or at_us != next_us:
                errors.append(start_us + at_us - sent_ns / 1e3)
    return errors
