"""What a node's agent costs: its share of a core and its memory, armed and with a runner that reads everything.

`python tests/bench/agent.py [SECONDS]` watches this machine for so long (600) at each rate, and prints a table.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.agents import Runner, agent, own_folder

TICKS_S = os.sysconf("SC_CLK_TCK")
RATES = {"serving": "2 Hz, serving", "loading": "5 Hz, loading"}
WARM_UP_S = 3.0


@dataclass(frozen=True)
class Cost:
    """What one agent took over some seconds."""

    samples: int
    seconds: float
    cpu_s: float
    resident_mib: float
    locked_pct: float

    @property
    def share_pct(self) -> float:
        """CPU seconds a second, in percent of one core."""
        return 100 * self.cpu_s / self.seconds


def measure(phase: str, seconds: float) -> Cost:
    """Run an agent in a phase for so long."""
    with own_folder() as place, agent(place / "agent") as process:
        runner = Runner(place / "agent")
        runner.say(do="phase", phase=phase)
        runner.arm("nothing-carries-this")
        heard = Listener(runner)
        time.sleep(WARM_UP_S)
        count, begun, cpu = heard.count, time.monotonic(), cpu_s(process.pid)
        time.sleep(seconds)
        cost = Cost(
            heard.count - count,
            time.monotonic() - begun,
            cpu_s(process.pid) - cpu,
            resident_mib(process.pid, "Rss"),
            100 * resident_mib(process.pid, "Locked") / resident_mib(process.pid, "Pss"),
        )
        process.kill()
        heard.join()
        runner.close()
        return cost


class Listener(threading.Thread):
    """Reads all that the agent says."""

    def __init__(self, runner: Runner) -> None:
        super().__init__(daemon=True)
        self.count = 0
        self._runner = runner
        self.start()

    def run(self) -> None:
        """Count samples until the agent ends."""
        while (message := self._runner.hear()) is not None:
            self.count += "sample" in message


def cpu_s(pid: int) -> float:
    """Return the seconds a process has computed, in user and kernel mode, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def resident_mib(pid: int, key: str) -> float:
    """Return how much of a process is in memory, in MiB.

    `Rss` counts shared pages in full; `Pss`, and `Locked`, which must stay there, by the share of each of their users.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{key}:"))


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    print("| rate | seconds | samples | CPU, of one core | resident | of it locked |")
    print("|---|---|---|---|---|---|")
    for phase, title in RATES.items():
        cost = measure(phase, seconds)
        figures = f"{cost.seconds:.0f} | {cost.samples} | {cost.share_pct:.2f} %"
        print(f"| {title} | {figures} | {cost.resident_mib:.1f} MiB | {cost.locked_pct:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
