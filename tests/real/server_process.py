"""A real server in a process group of its own: waited for until it is healthy, and stopped with proof."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.waiting import wait_until

from .processes import MARK, describe, kill_marked, marked, marked_env

READY_DEADLINE_S = 240.0
STOP_DEADLINE_S = 30.0


@contextmanager
def serving(argv: list[str], env: Mapping[str, str], port: int, log: Path) -> Iterator[str]:
    """Start a server, wait until it is healthy, and stop it at the end; yield its URL.

    Fails where it does not come up, or where anything of it is left when it should have gone.
    """
    marking = marked_env(**env)
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=marking, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_healthy(url, process, log)
        yield url
    finally:
        _stop(process, marking[MARK], port)


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    def settled() -> bool:
        return process.poll() is not None or _healthy(url)

    in_time = wait_until(settled, READY_DEADLINE_S, every_s=0.5)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
    assert process.poll() is None, f"{process.args!r} ended with {process.returncode} before it was ready:\n{tail}"
    assert in_time, f"{process.args!r} was not ready after {READY_DEADLINE_S:.0f} s:\n{tail}"


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5.0, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes], mark: str, port: int) -> None:
    """Ask the whole group to end, and fail where it does not, or leaves a process or its port behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        gone = wait_until(lambda: process.poll() is not None and not marked(mark), STOP_DEADLINE_S)
        left = describe(marked(mark))
    finally:
        kill_marked(mark)
        process.wait(timeout=10.0)
    assert gone, f"processes are left {STOP_DEADLINE_S:.0f} s after SIGTERM:\n{left}"
    assert not _answers(port), f"something still listens on port {port}"


def _answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0
