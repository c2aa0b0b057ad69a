"""Every figure of Live in words."""

from __future__ import annotations

from sparktui.ui.explain import TAINT, WAVE, Explanation
from sparktui.ui.snapshot import Snapshot
from sparktui.units import duration, gib, percent


def _heard(snapshot: Snapshot) -> str:
    wave = snapshot.wave
    if wave is None:
        return "no wave is in flight"
    kind = "pool run" if wave.shape == "pool" else "wave"
    return f"{wave.topology} c{wave.concurrency}, {kind} {wave.number}, reported {wave.age_s:.1f} s ago"


def _stamped(snapshot: Snapshot) -> str:
    whose = {"kernel": "the kernel's receive stamps", "user": "this program's own stamps"}
    return f"{_heard(snapshot)}; {whose.get(snapshot.clock or '', 'whose stamps is known once a wave has ended')}"


def _sampled(snapshot: Snapshot) -> str:
    nodes = (f"{node.name} {gib(node.mem_available_bytes)} GiB, {duration(node.age_s)} ago" for node in snapshot.nodes)
    return "; ".join(nodes) or "no node has reported"


def _floors(snapshot: Snapshot) -> str:
    known = [node for node in snapshot.nodes if node.stop_gib is not None]
    return "; ".join(f"{node.name} while {node.phase}: {node.stop_gib:.1f} GiB" for node in known)


def _asked(snapshot: Snapshot) -> str:
    ages = (f"{engine.backend} {duration(engine.age_s)} ago" for engine in snapshot.engines)
    told = "; ".join(ages) or "no engine has answered"
    found = snapshot.agreement
    return told if found is None else f"{told}; its token count and ours are {percent(found.off)} apart"


LIVE = (
    Explanation(
        "decode, all streams",
        "Tokens arriving now over all requests in flight: the rate over the last 2 seconds, which falls to zero where "
        "every stream waits, as while others' prompts are read, and may be twice what a wave comes to. The bars are "
        "the last minutes, a second each; their axis rises with the highest and falls only when another cell begins.",
        "tok/s",
        "the load worker's token count, four times a second",
        "rises with concurrency and then levels off",
        _heard,
    ),
    Explanation(
        "this cell so far",
        "What the tables will say of the cell being measured, if the waves to come are like those that have ended: the "
        "mean over them, from the first token of a wave to its last. One for all streams together, one for each. - "
        "until the first wave has ended; warm-up does not count.",
        "tok/s",
        "every token's time stamp, in the store",
        "the figure to go by",
    ),
    Explanation(
        "each stream",
        "What one user sees: the stream in the middle, and p5 and p95, a slow and a fast one, each by its own tokens "
        "of the last 2 seconds. Streams that have only just begun, and those that are over, are not among them. Where "
        "there is none, as between short waves, it says what it was before, in this cell.",
        "tok/s",
        "the load worker, four times a second",
        "10 or more reads faster than most people do; p5 close to p95: all users alike",
        _heard,
    ),
    Explanation(
        "first token (TTFT)",
        "From sending a request to its first token; p50 is the middle request of this wave, p95 a slow one, worst the "
        "slowest.",
        "ms",
        "kernel receive stamps where the platform has them",
        "under 1 000 ms feels immediate",
        _stamped,
    ),
    Explanation(
        "between tokens (ITL)",
        "The gap between two events of one stream, middle and slow, of the last quarter of a second; worst is the "
        "longest of this wave.",
        "ms",
        "the same stamps",
        "p95 close to p50: even output",
        _stamped,
    ),
    Explanation(
        "prefill",
        "Prompt tokens worked through now: requests that got their first token, times the prompt length, over 2 s.",
        "tok/s",
        "the load worker's count of first tokens",
        "only moves at the start of a wave",
        _heard,
    ),
    Explanation(
        "in flight, waiting",
        "Requests sent and not ended; of these, those without a byte of an answer.",
        "requests",
        "the load worker",
        "waiting falls to 0 as soon as a wave has begun: the engine admits all at once",
        _heard,
    ),
    Explanation(
        "left on the node",
        "What the kernel says can still be had (MemAvailable). On a Spark the GPU lives in the same memory, so this is "
        "the figure that kills the node. The marks are the floors at which the guard warns and stops.",
        "GiB",
        "/proc/meminfo, read by the agent on the node",
        "well above the warn floor and not falling",
        _sampled,
    ),
    Explanation(
        "stop, warn, floor in",
        "Under warn the guard warns. Under stop the agent on that node ends what runs there, at once and by itself. "
        "One stop floor holds at a time: while a model loads and warms the profile's floor for that or, where it is "
        "higher, what the verdict before the launch expected to be left, less how far that may be wrong; then the one "
        "for serving, which is lower. A fragile node is one that the profile marks so, and has higher floors. Nodes "
        "has them all. The countdown is at the slope of the last seconds; a load that falls to what was expected has "
        "none.",
        "GiB, s",
        "the profile's floors, or the verdict before the launch; docs/memory.md",
        "no countdown",
        _floors,
    ),
    Explanation(
        "GPU holds, free",
        "What processes hold on the GPU, summed: who has the memory, not how much is left. Free is what holds nothing, "
        "not even a cache.",
        "GiB",
        "NVML, per process; MemFree",
    ),
    Explanation(
        "falling",
        "How fast the memory left is shrinking: the median of the slopes between the readings of the last 4 seconds, "
        "or of the last one where that is quite another.",
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
        "GPU utilisation, power, temperature and clock; behind them, where the driver lowers the clock, why. Busy at "
        "low power and without tokens is a dead engine.",
        source="NVML on the node",
        good="under load: above 2 000 MHz, below 85 C, not held back",
    ),
    Explanation(
        "RDMA in, out",
        "What the fast link between the nodes carries, and what it has negotiated.",
        "GB/s",
        "the InfiniBand counters of the node",
        "grows with tokens in a cluster; 0 for a single node",
    ),
    Explanation(
        "under a node's frame",
        "What is not well with it, in a few words: docs/health.md tells what each means and what to do.",
        source="rules over the samples and the engine's figures",
        good="nothing",
    ),
    Explanation(
        "requests",
        "One mark a request in flight: · waiting, ▒ prefill, █ decoding, ✓ done, ✗ failed.",
        source="the load worker",
        good="no ✗; few · (the engine admits all at once)",
        now=_heard,
    ),
    Explanation(
        "engine",
        "The engine's own account: requests running and waiting, key-value cache in use, requests it had to throw back "
        "in this cell (preempted), and the share of this cell's prompt tokens answered from its prefix cache; behind a "
        "router, the share of this cell's requests that came to each. Its token counter is held against what arrives "
        "here over the last 10 seconds; over 5 % apart, both are shown.",
        source="its /metrics page; the router's answers",
        good="nothing waiting or preempted; prefix 0 %, or prefill is not being measured",
        now=_asked,
    ),
    Explanation(
        "this client",
        "How late this program reads what the kernel had already stamped (p99), whose stamps they are, and the load "
        "worker's CPU as a share of one core. It shows that the measuring does not disturb the measured.",
        "ms, % of a core",
        "the load worker",
        "under a tenth of ITL; under 60 %",
        _stamped,
    ),
    Explanation(
        "result",
        "Once it is over: who wins which levels and how far ahead, of the runner-up where nobody else is named; who "
        "ties; and of one that was measured alone what it reached.",
        source="the tables of Compare",
    ),
    Explanation(
        "interrupted",
        "It says that it is running, and its runner is gone: killed, or lost with the machine. What it launched may "
        "still be up, guarded by the nodes' agents: `sparktui stop` ends it, `r` in History goes on with the race.",
    ),
    Explanation(
        "decode over the race",
        "Once it is over: what every cell decoded, as long as it took, a colour a topology, on a fixed axis.",
        "tok/s",
        "the tables' means",
    ),
    WAVE,
    Explanation(
        "time left",
        "Of this wave, this cell, this sweep and the whole race, from the waves measured so far, launches left out. It "
        "falls by the second, stands still while a wave takes longer than those before, and is put right with each "
        "that ends. Levels nobody has measured yet are guessed from the nearest. - until there is something to go by.",
    ),
    TAINT,
)
