"""A runner that arms an agent and is then stopped (SIGSTOP): connected, and neither reading nor answering.

`python absent_runner.py FOLDER ORDER...` sends JSON orders, prints each answer to `arm`, and waits.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.agents import Runner, until


def main() -> None:
    """Send the orders, wait until it is armed, and wait."""
    runner = Runner(Path(sys.argv[1]))
    for order in sys.argv[2:]:
        runner.say(**json.loads(order))
    runner.hear_until("armed")
    print("armed", flush=True)
    signal.pause()


@contextmanager
def absent_runner(folder: Path, *orders: dict[str, Any]) -> Iterator[None]:
    """Have an agent armed by a runner that is then stopped, until the test is over."""
    argv = [sys.executable, "-m", __name__, str(folder), *map(json.dumps, orders)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"armed\n"
        os.kill(process.pid, signal.SIGSTOP)
        until(lambda: _state(process.pid) == "T", "the runner is stopped")
        yield
        process.kill()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


if __name__ == "__main__":
    main()
