"""Every figure on the screens in words: what it is, its unit, where it comes from, and what good looks like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One figure explained."""

    name: str
    what: str
    unit: str = ""
    source: str = ""
    good: str = ""


_WAVE = Explanation(
    "wave, cell, sweep, campaign",
    "A wave is N requests started together and waited for together. A cell is one topology at one concurrency (c8 is "
    "8 requests at once). A sweep is one topology over all its levels. A campaign is the whole race. In a pool run the "
    "N requests are not waited for: each is followed at once by its slot's next.",
)
_TAINT = Explanation(
    "~ beside a figure",
    "Tainted: the cell was measured while something was wrong (this client too slow, for one), so it cannot win.",
    good="none",
)

LIVE = (
    Explanation(
        "decode, all streams",
        "Tokens arriving now over all requests in flight. The rate over the last 2 seconds, so a stall falls to zero. "
        "The figure that is kept and compared is computed per wave from every token's own time stamp.",
        "tok/s",
        "the load worker's token count, four times a second",
        "rises with concurrency and then levels off",
    ),
    Explanation(
        "each stream",
        "What one user sees: the rate above, shared among the requests that were decoding in the same seconds.",
        "tok/s",
        "as above",
        "10 or more reads faster than most people do",
    ),
    Explanation(
        "first token (TTFT)",
        "From sending a request to its first token; p50 is the middle request of this wave, p95 one of the slowest.",
        "ms",
        "kernel receive stamps where the platform has them",
        "under 1 000 ms feels immediate",
    ),
    Explanation(
        "between tokens (ITL)",
        "The gap between two events of one stream, middle and slow, since the last look.",
        "ms",
        "the same stamps",
        "p95 close to p50: even output",
    ),
    Explanation(
        "prefill",
        "Prompt tokens worked through now: requests that got their first token, times the prompt length, over 2 s.",
        "tok/s",
        "the load worker's count of first tokens",
        "only moves at the start of a wave",
    ),
    Explanation(
        "left on the node",
        "What the kernel says can still be had (MemAvailable). On a Spark the GPU lives in the same memory, so this is "
        "the figure that kills the node. The marks are the floors at which the guard warns and stops.",
        "GiB",
        "/proc/meminfo, read on the node every second",
        "well above the warn floor and not falling",
    ),
    Explanation(
        "GPU holds",
        "What processes hold on the GPU, summed. Tells who has the memory, not how much is left.",
        "GiB",
        "NVML, per process",
    ),
    Explanation(
        "falling",
        "How fast the memory left is shrinking, over the last seconds.",
        "GiB/s",
        "the samples above",
        "0.00 while serving",
    ),
    Explanation(
        "swap, PSI",
        "Swap in use, and the share of time something waited for memory (pressure, some, 10 s average).",
        "GiB, %",
        "/proc/swaps and /proc/pressure/memory",
        "0 and 0.0",
    ),
    Explanation(
        "util, W, C, MHz",
        "GPU utilisation, power, temperature and clock. Busy at low power and without tokens is a dead engine.",
        source="NVML on the node",
        good="under load: above 2 000 MHz, below 85 C",
    ),
    Explanation(
        "requests",
        "One mark a request in flight: · waiting, ▒ prefill, █ decoding, ✓ done, ✗ failed.",
        source="the load worker",
        good="no ✗; few · (the engine admits all at once)",
    ),
    Explanation(
        "engine",
        "The engine's own account: requests running and waiting, key-value cache in use, requests it had to throw back "
        "(preempted), and the share of this cell's prompt tokens answered from its prefix cache. Where its token "
        "counter and what has arrived here are over 5 % apart in the last 10 seconds, both are shown.",
        source="its /metrics page",
        good="nothing waiting or preempted; prefix 0 %, or prefill is not being measured",
    ),
    Explanation(
        "this client",
        "How late this program reads what the kernel had already stamped (p99), whose stamps they are, and the load "
        "worker's CPU as a share of one core. It shows that the measuring does not disturb the measured.",
        "ms, % of a core",
        "the load worker",
        "under a tenth of ITL; under 60 %",
    ),
    _WAVE,
    Explanation(
        "time left",
        "For this cell and for the whole race, from the waves measured so far; - until there is something to go by.",
    ),
)

COMPARE = (
    Explanation(
        "decode",
        "Tokens after each stream's first, over all streams of a wave, divided by the time from the first token of the "
        "wave to its last. The mean over the waves of a level; higher is better.",
        "tok/s",
    ),
    Explanation(
        "prefill", "Prompt tokens of a wave divided by the time to work through them; higher is better.", "tok/s"
    ),
    Explanation("TTFT", "From sending to the first token, mean over all requests; lower is better.", "ms"),
    Explanation(
        "[value] and Winner",
        "The best topology of a row stands in brackets. Winner names it with its margin against the runner-up, or "
        "against the baseline chosen with b.",
    ),
    Explanation(
        "tie",
        "The difference is too small to call: its interval holds zero, or it is under the threshold. Nobody wins.",
    ),
    Explanation(
        "crossovers",
        "The concurrency at which the lead changes hands, between the two levels that were measured.",
    ),
    _TAINT,
    _WAVE,
)

LAUNCH = (
    Explanation(
        "profiles",
        "What can be raced: nodes, a model, the topologies to compare and the load. Enter starts the one under the "
        "cursor in a process of its own, which goes on when this screen is closed.",
    ),
    Explanation(
        "SIMULATED", "Played by the embedded engine on nodes that do not exist: a rehearsal, never a measurement."
    ),
    Explanation("campaigns", "What was run before. Enter opens the one under the cursor in Live and Compare."),
)
