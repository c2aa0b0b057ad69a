"""Every figure on the screens in words: what it is, its unit, where it comes from, and what good looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparktui.ui.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure explained."""

    name: str
    what: str
    unit: str = ""
    source: str = ""
    good: str = ""
    now: Callable[[Snapshot], str] | None = None
    """Says where it has just come from; empty where it has not."""


WAVE = Explanation(
    "wave, cell, sweep, campaign",
    "A wave is N requests started together and waited for together. A cell is one topology at one concurrency (c8 is "
    "8 requests at once). A sweep is one topology over all its levels. A campaign is the whole race. In a pool run the "
    "N requests are not waited for: each is followed at once by its slot's next.",
)
TAINT = Explanation(
    "~ and * beside a figure",
    "It cannot win. ~ is tainted: measured while something was wrong, such as this client too slow or a GPU held back; "
    "* is not all there: waves are missing, or requests failed. The notes name the reason.",
    good="none",
)

NODES = (
    Explanation(
        "left, over time",
        "What the kernel says can still be had (MemAvailable), the figure that kills a node. A column shows the least "
        "of all samples in its time, so no dip is lost, however long the time in sight.",
        "GiB",
        "every sample of the node's agent, those fetched after a broken link too",
        "well above both floors, and level while serving",
    ),
    Explanation(
        "╌ and ─, ! and ✗",
        "The floors at which the node's guard warns (╌) and stops what runs there (─), as they held at that time: "
        "loading has a higher one than serving. The line over a sample has all of them: what a launch must leave, the "
        "floor of loading (the profile's, or what was expected to be left less how far that may be wrong), and that of "
        "serving. A node that its profile marks fragile has higher ones. Below a strip, ! and ✗ mark the columns that "
        "were under them.",
        "GiB",
        "the profile, and the verdict before the launch",
        "neither mark anywhere",
    ),
    Explanation(
        "least",
        "The least that was left in the whole campaign, when, and in which topology at which concurrency.",
        "GiB",
        "all samples",
        "above the warn floor",
    ),
    Explanation(
        "idle, loading, warming, serving, stopping",
        "What the runner had told the node's agent; it decides which floor holds.",
    ),
    Explanation(
        "up, log, time",
        "Which topology was up, with its launch and its stop; where a warning (!) or an error (✗) was told; and the "
        "time of day on this machine. ▲ is the moment looked at.",
    ),
    Explanation(
        "left, free, of; slope",
        "MemAvailable, MemFree and all memory of the node, and how fast MemAvailable changed over the last 4 seconds.",
        "GiB, GiB/s",
        "/proc/meminfo",
        "slope near +0.00 while serving",
    ),
    Explanation(
        "GPU processes hold",
        "What processes hold on the GPU, summed: who has the memory, not how much is left.",
        "GiB",
        "NVML, per process",
    ),
    Explanation(
        "swap, PSI, large free blocks, stalls",
        "Swap in use and its traffic; the share of time that some or all tasks waited for memory (10 s average); free "
        "runs of 512 pages and more; and how often a second an allocation had to wait for memory to be freed.",
        "GiB, MiB/s, %, count, /s",
        "/proc/swaps, /proc/pressure/memory, /proc/buddyinfo, /proc/vmstat",
        "0, 0.0, thousands, 0.0",
    ),
    Explanation(
        "GPU, power, temperature, clock, throttle",
        "Busy at low power is a dead engine; busy, cool and slow is a stuck clock. Energy is the GPU's own counter.",
        "%, W, C, MHz, kJ",
        "NVML",
        "under load: above 2 000 MHz, below 85 C, throttle none",
    ),
    Explanation(
        "RDMA, plain, errors, link",
        "What the fabric carries, and what ordinary interfaces do: a cluster whose traffic is plain runs on sockets.",
        "GB/s, MB/s, Gbit/s",
        "/sys/class/infiniband and /proc/net/dev",
        "RDMA in and out alike, no errors, link 200",
    ),
    Explanation(
        "load, holds most, NVML took, sample no.",
        "The load average over a minute; while memory is short, the processes that hold most of it; how long the GPU's "
        "driver took to answer, or in which call it hangs; and the number of the agent's sample.",
        "-, GiB, ms, count",
        "/proc, NVML and the agent",
        "NVML under 100 ms; numbers without a gap",
    ),
)
