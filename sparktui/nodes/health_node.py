"""The findings that one node's own readings give, each over a window of its samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sparktui.nodes.health_finding import Finding
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.window import Window, highest, last, middle, moved, span_s
from sparktui.units import GIB, gib

HELD_S = 10.0
"""How long a state must last before it is told."""
MIN_SAMPLES = 3
BUSY_PCT, BUSY_SHARE = 80.0, 0.6
"""A node is busy over a window when so much of it has at least this utilisation."""
LOW_CLOCK_MHZ, LOW_POWER_W, COOL_C = 1400.0, 35.0, 75.0
"""A busy GB10 that is not hot runs faster, and draws more, than this."""
HOT_C = 85.0
THROTTLED_SHARE = 0.5
HARMFUL = ("thermal", "slowdown", "brake")
"""In a throttle reason: heat, the board's own slowdown, power brakes. A power cap is how a busy GPU ordinarily runs."""
SWAP_BYTES_PER_S = 4 * 1024**2
MIN_RDMA_ERRORS = 10
FRAGMENTED_FREE_BYTES, FRAGMENTED_AVAILABLE_BYTES = 2 * GIB, 16 * GIB
"""With less free, or less to be had, there being no large block is nothing strange."""

Rule = Callable[[Window], Finding | None]


def stuck_clock(window: Window) -> Finding | None:
    """Find a GB10 that is busy and cool, and yet slow: the driver names no reason for it."""
    busy = [sample for sample in window if (sample.gpu_util_pct or 0.0) >= BUSY_PCT]
    if len(busy) < max(MIN_SAMPLES, BUSY_SHARE * len(window)) or not busy[-1].unified:
        return None
    clock_mhz, power_w = middle(s.sm_mhz for s in busy), middle(s.power_w for s in busy)
    temp_c = highest(s.temp_c for s in busy)
    slow = clock_mhz is not None and clock_mhz < LOW_CLOCK_MHZ
    weak = power_w is not None and power_w < LOW_POWER_W
    if temp_c is None or temp_c >= COOL_C or not (slow or weak):
        return None
    node, util_pct = busy[-1].node, middle(s.gpu_util_pct for s in busy)
    seen = f"{_number(clock_mhz)} MHz and {_number(power_w)} W at {_number(util_pct)} % utilisation"
    return Finding(
        "stuck-clock",
        node,
        f"{node}'s clock is stuck: {seen} and only {temp_c:.0f} °C for {span_s(window):.0f} s, with no reason given",
        f"stuck clock, {_number(clock_mhz)} MHz, {_number(power_w)} W",
        {"sm_mhz": clock_mhz, "power_w": power_w, "gpu_util_pct": util_pct, "temp_c": temp_c},
    )


def throttled(window: Window) -> Finding | None:
    """Find a GPU that is held back by heat, by the board or by a power brake, in at least half of the samples."""
    held = [sample for sample in window if harmful_reasons(sample)]
    if len(held) < max(MIN_SAMPLES, THROTTLED_SHARE * len(window)):
        return None
    counted = Counter(reason for sample in held for reason in harmful_reasons(sample))
    reasons = ", ".join(reason for reason, _ in counted.most_common())
    node, clock_mhz, temp_c = held[-1].node, middle(s.sm_mhz for s in held), highest(s.temp_c for s in held)
    return Finding(
        "throttled",
        node,
        f"{node} is throttled ({reasons}): {_number(clock_mhz)} MHz at {_number(temp_c)} °C, in {len(held)} of "
        f"{len(window)} readings over {span_s(window):.0f} s",
        f"throttled ({reasons}), {_number(clock_mhz)} MHz",
        {"reasons": reasons, "sm_mhz": clock_mhz, "temp_c": temp_c},
    )


def harmful_reasons(sample: NodeSample) -> tuple[str, ...]:
    """Return the throttle reasons that slow a GPU below what it is there to do."""
    reasons = (reason.strip() for reason in (sample.throttle or "").split(","))
    return tuple(reason for reason in reasons if any(word in reason.lower() for word in HARMFUL))


def swapping(window: Window) -> Finding | None:
    """Find a node that reads from swap, or writes to it, all the time."""
    read, written = moved(window, lambda s: s.swap_in_bytes), moved(window, lambda s: s.swap_out_bytes)
    taken = (read or 0) + (written or 0)
    if len(window) < MIN_SAMPLES or taken < SWAP_BYTES_PER_S * span_s(window) or not taken:
        return None
    node, used = window[-1].node, window[-1].swap_used_bytes
    mib_per_s = taken / 1024**2 / max(span_s(window), 1e-3)
    return Finding(
        "swapping",
        node,
        f"{node} swaps: {gib(taken)} GiB in and out of swap within {span_s(window):.0f} s ({mib_per_s:.0f} MiB/s), "
        f"{gib(used)} GiB of it in use",
        f"swapping, {mib_per_s:.0f} MiB/s",
        {"swapped_bytes": taken, "swap_used_bytes": used, "mib_per_s": mib_per_s},
    )


def hot(window: Window) -> Finding | None:
    """Find a GPU that is about to be slowed down by heat."""
    temp_c = middle(s.temp_c for s in window)
    if len(window) < MIN_SAMPLES or temp_c is None or temp_c <= HOT_C:
        return None
    node = window[-1].node
    text = f"{node} is hot: {temp_c:.0f} °C for {span_s(window):.0f} s, over {HOT_C:.0f} °C"
    return Finding("hot", node, text, f"hot, {temp_c:.0f} °C", {"temp_c": temp_c})


def rdma_errors(window: Window) -> Finding | None:
    """Find a fabric that loses or repeats packets."""
    errors = moved(window, lambda s: s.rdma_errors)
    if errors is None or errors < MIN_RDMA_ERRORS:
        return None
    node = window[-1].node
    text = f"{node}: {errors} errors, discards and retries on its RDMA ports within {span_s(window):.0f} s"
    return Finding("rdma-errors", node, text, f"{errors} RDMA errors", {"errors": errors})


def nvml_hung(window: Window) -> Finding | None:
    """Find a GPU driver that has not answered a call."""
    call = window[-1].nvml_hung if window else None
    if not call:
        return None
    node = window[-1].node
    text = f"{node}: the GPU driver does not answer: {call} has not come back; its GPU readings are missing"
    return Finding("nvml-hung", node, text, "GPU driver does not answer", {"call": call})


def fragmented(window: Window) -> Finding | None:
    """Find memory that is there, but in no large piece."""
    last_one = window[-1] if window else None
    if last_one is None or len(window) < MIN_SAMPLES or not all(map(_in_small_pieces, window)):
        return None
    node, available, free = last_one.node, last_one.mem_available_bytes, last_one.mem_free_bytes
    return Finding(
        "fragmented",
        node,
        f"{node}'s memory is fragmented: {gib(available)} GiB left and {gib(free)} GiB free, but no free block of "
        f"order 9 or above for {span_s(window):.0f} s",
        "fragmented memory",
        {"mem_available_bytes": available, "mem_free_bytes": free, "order9_free": 0},
    )


def _in_small_pieces(sample: NodeSample) -> bool:
    return (
        sample.order9_free == 0
        and (sample.mem_free_bytes or 0) >= FRAGMENTED_FREE_BYTES
        and (sample.mem_available_bytes or 0) >= FRAGMENTED_AVAILABLE_BYTES
    )


LASTING: tuple[Rule, ...] = (throttled, swapping, hot, rdma_errors, fragmented)
"""Told when they have held for HELD_S, whatever the engine does."""


def node_findings(samples: Window) -> list[Finding]:
    """Return what one node's newest samples, oldest first, say of it, but for its clock: that takes its engine too."""
    held = last(samples, HELD_S)
    found = [nvml_hung(samples), *(rule(held) for rule in LASTING if held)]
    return [finding for finding in found if finding is not None]


def cell_findings(window: Window) -> list[Finding]:
    """Return what kept a cell's figures from being its topology's, by the samples taken while it was measured."""
    found = [rule(window) for rule in (stuck_clock, throttled, swapping)]
    return [finding for finding in found if finding is not None]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
