"""Simulated engines for tests: real processes on free loopback ports, fast enough for hundreds of requests a second."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

MODEL = "sim-model"
DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class SimEngine:
    """A running engine."""

    url: str
    model: str
    node: str
    state_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def sim_engine(
    state_dir: Path,
    *,
    node: str = "gf2",
    topology: str = "solo",
    model: str = MODEL,
    speed: float = 50.0,
    load_seconds: float = 0.05,
    extra: tuple[str, ...] = (),
    wait_loaded: bool = True,
) -> Iterator[SimEngine]:
    """Run an engine whose step times are `speed` times shorter than the published ones; stop it at the end."""
    argv = [sys.executable, "-m", "sparktui.sim.engine", "--topology", topology, "--node", node, "--model", model]
    argv += ["--state-dir", str(state_dir), "--speed", str(speed), "--load-seconds", str(load_seconds), *extra]
    with started(argv) as process:
        url = published_url(state_dir, node, process)
        if wait_loaded:
            wait_healthy(f"{url}/health", process)
        yield SimEngine(url, model, node, state_dir, process)


@contextmanager
def started(argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process; end it with SIGTERM, or with SIGKILL where that does not help."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def published_url(state_dir: Path, node: str, process: subprocess.Popen[bytes]) -> str:
    """Wait for the address that an engine publishes in its state file."""
    from sparktui.sim.holding import published

    for _ in _until_deadline(process):
        for holding in published(state_dir, node):
            if holding.pid == process.pid and holding.url is not None:
                return holding.url
    raise AssertionError("unreachable")


def wait_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a URL answers 200."""
    for _ in _until_deadline(process):
        try:
            if httpx.get(url, timeout=DEADLINE_S).status_code == 200:
                return
        except httpx.ConnectError:
            continue


def _until_deadline(process: subprocess.Popen[bytes]) -> Iterator[None]:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stderr is not None
            raise AssertionError(f"ended with {process.returncode}: {process.stderr.read().decode()}")
        yield
        time.sleep(0.01)
    raise AssertionError(f"{process.args!r} was not up within {DEADLINE_S} s")
