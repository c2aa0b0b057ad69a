"""`connect`: hands bytes between this process's own input and output and the socket of the agent on this node."""

from __future__ import annotations

import os
import select
import socket
import sys
from pathlib import Path

from sparktui.nodes.peer import SOCK

CHUNK_BYTES = 65_536
NO_AGENT = 3


def relay(folder: Path) -> int:
    """Relay until one side ends; return an exit status, `NO_AGENT` where none listens in the folder."""
    agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.chdir(folder)
        agent.connect(SOCK)
    except OSError as error:
        sys.stderr.write(f"no agent listens in {folder}: {error.strerror or error}\n")
        return NO_AGENT
    incoming, outgoing = sys.stdin.fileno(), sys.stdout.fileno()
    _write(outgoing, b"\n")  # the agent's socket is there: from here on, silence is the agent's
    poll = select.poll()
    poll.register(incoming, select.POLLIN)
    poll.register(agent, select.POLLIN)
    try:
        while _hand_on(poll.poll(), agent, incoming, outgoing):
            pass
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return 0
    return 0


def _hand_on(ready: list[tuple[int, int]], agent: socket.socket, incoming: int, outgoing: int) -> bool:
    """Hand on what has arrived; return whether both sides are still there."""
    for fd, _ in ready:
        data = os.read(fd, CHUNK_BYTES)
        if not data:
            return False
        if fd == incoming:
            agent.sendall(data)
        else:
            _write(outgoing, data)
    return True


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
