"""A process that carries a launch's mark: it ignores SIGTERM, and takes memory when it is told how much.

`python marked_child.py BYTES PIECE_BYTES PAUSE_S` takes so much in pieces and touches it, then waits to be killed.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

OWN_BYTES = 1024**3


def main() -> None:
    """Take the memory, say so, and wait."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    size, piece = int(sys.argv[1]), int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (size + OWN_BYTES, size + OWN_BYTES))  # whoever fails to stop it
    pause_s = float(sys.argv[3])
    taken = []
    print("up", flush=True)
    for _ in range(0, size, piece):
        taken.append(bytearray(os.urandom(4096)) * (piece // 4096))
        time.sleep(pause_s)
    print("taken", flush=True)
    signal.pause()


@contextmanager
def marked_child(
    mark: str, size: int = 0, piece: int = 1024**2, pause_s: float = 0.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one until the test is over; it is up, and has taken nothing yet, when this returns."""
    argv = [sys.executable, __file__, str(size), str(piece), str(pause_s)]
    environment = os.environ | {"SPARKTUI_LAUNCH": mark}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    main()
