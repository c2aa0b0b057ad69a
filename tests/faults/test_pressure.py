"""A process that really eats this machine's memory is warned of, and stopped by the agent alone."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sparktui.nodes import flight
from tests.faults.absent_runner import absent_runner
from tests.faults.agents import DEADLINE_S, GIB, LIMITS, agent, until
from tests.faults.conftest import Connect
from tests.faults.marked_child import marked_child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc")

EATS_BYTES, PIECE_BYTES, PAUSE_S = 4 * GIB, GIB // 16, 0.1
"""It is stopped long before it has taken all that."""
WARN_BYTES, STOP_BYTES = GIB // 2, GIB * 5 // 4
"""How much may be gone of what there was before it is warned, and before it is stopped."""
MS_AT_MOST = 300
BACK_BYTES = GIB


class Stalls(threading.Thread):
    """For how long this machine stood still: a virtual one may not run for longer than the agent takes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest_ms = 0.0
        self._over = threading.Event()

    def __enter__(self) -> Stalls:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def __str__(self) -> str:
        return f"the machine stood still for {self.longest_ms:.1f} ms at the most"

    def run(self) -> None:
        """Sleep in short steps, and see how long each takes."""
        step_s = 0.01
        while not self._over.is_set():
            begun = time.monotonic()
            time.sleep(step_s)
            self.longest_ms = max(self.longest_ms, (time.monotonic() - begun - step_s) * 1000)


def available() -> int:
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024


def on_disk(folder: Path, kind: str) -> list[dict[str, Any]]:
    found = [flight.entries(path.read_bytes()) for path in sorted(folder.glob("samples*.jsonl"))]
    return [entry[kind] for entries in found for entry in entries if kind in entry]


def test_a_memory_eater_is_warned_of_and_stopped_while_its_runner_is_stopped(folder: Path, connect: Connect) -> None:
    there = available()
    if there < EATS_BYTES + GIB:
        pytest.skip(f"{there / GIB:.1f} GiB available are too few to take some of them")
    floors = {"warn_bytes": there - WARN_BYTES, "loading_stop_bytes": there - STOP_BYTES, "serving_stop_bytes": 0}
    mark = f"1-1-{folder}"
    orders = (
        {"do": "arm", "mark": mark, "stop": [], "limits": LIMITS | floors, "what": "solo"},
        {"do": "phase", "phase": "loading"},
    )
    with agent(folder), absent_runner(folder, *orders), Stalls() as stalls:
        with marked_child(mark, EATS_BYTES, PIECE_BYTES, PAUSE_S) as eater:
            assert eater.wait(DEADLINE_S) == -signal.SIGKILL
            until(lambda: bool(on_disk(folder, "acted")), "the act is on the disk")
        until(lambda: available() > there - BACK_BYTES, "the memory is back")
        acted = connect(folder).hear_until("acted")
        levels = [news["level"] for news in on_disk(folder, "guard")]
        least = min(sample["mem_available_bytes"] for sample in on_disk(folder, "sample"))
    print(f"\n{acted['text']}; {acted['ms']} ms from that reading to the last signal")
    print(f"{there / GIB:.2f} GiB before, {least / GIB:.2f} seen at the least; {stalls}")
    assert levels[:2] == ["warn", "stop"]
    assert acted["killed"] == [eater.pid]
    assert acted["ms"] - stalls.longest_ms < MS_AT_MOST
    assert least > there - EATS_BYTES
