"""One sample of a node in full: every reading with its unit, counters as what they did per second. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sparktui.nodes.history import slope_bytes_s
from sparktui.nodes.sample import NodeSample
from sparktui.units import GIB, UNKNOWN, gib

RATE_S = 2.0
"""Over how much of the past, at least, a counter's rate is taken."""
MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure as text; a value that nobody knows is `-`."""

    name: str
    value: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.value} {self.unit}".rstrip() if self.value != UNKNOWN else f"{self.name} {UNKNOWN}"


Counter = Callable[[NodeSample], int | float | None]


def readings(samples: Sequence[NodeSample]) -> tuple[Reading, ...]:
    """Return every reading of the last of a node's samples, oldest first; at least one is needed."""
    return (*_memory(samples), *_gpu(samples), *_traffic(samples), *_machine(samples))


def rate(samples: Sequence[NodeSample], counter: Counter) -> float | None:
    """Return by how much a counter rose per second, lately; None where it is unknown or began again."""
    last = samples[-1]
    before = next((sample for sample in reversed(samples) if sample.t <= last.t - RATE_S), samples[0])
    now, then = counter(last), counter(before)
    if now is None or then is None or last.t <= before.t or now < then:
        return None
    return (now - then) / (last.t - before.t)


def _memory(samples: Sequence[NodeSample]) -> Iterator[Reading]:
    last, slope = samples[-1], slope_bytes_s(samples)
    yield Reading("left", gib(last.mem_available_bytes), "GiB")
    yield Reading("free", gib(last.mem_free_bytes), "GiB")
    yield Reading("of", gib(last.mem_total_bytes), "GiB")
    yield Reading("slope", number(None if slope is None else slope / GIB, "+.2f"), "GiB/s")
    yield Reading("GPU processes hold", gib(last.gpu_procs_bytes), "GiB")
    if last.gpu_total_bytes is not None and not last.unified:
        yield Reading("GPU's own memory", f"{gib(last.gpu_used_bytes)} of {gib(last.gpu_total_bytes)}", "GiB")
    if last.top:
        yield Reading("holds most:", last.top)
    yield Reading("swap", gib(last.swap_used_bytes), "GiB")
    yield _pair("swap in/out", samples, lambda s: s.swap_in_bytes, lambda s: s.swap_out_bytes, ".1f", MIB, "MiB/s")
    some, full = number(last.psi_some_pct, ".1f"), number(last.psi_full_pct, ".1f")
    yield Reading("PSI some/full", f"{some}/{full}", "%")
    yield Reading("large free blocks", number(last.order9_free, "d"))
    yield Reading("stalls", number(rate(samples, lambda s: s.alloc_stalls), ".1f"), "/s")


def _gpu(samples: Sequence[NodeSample]) -> Iterator[Reading]:
    last = samples[-1]
    yield Reading("GPU", number(last.gpu_util_pct, ".0f"), "%")
    yield Reading("power", number(last.power_w, ".0f"), "W")
    yield Reading("temperature", number(last.temp_c, ".0f"), "C")
    yield Reading("clock", number(last.sm_mhz, ".0f"), "MHz")
    yield Reading("throttle", UNKNOWN if last.throttle is None else last.throttle or "none")
    yield Reading("energy", number(last.energy_j, ".1f", 1000), "kJ")
    if last.nvml_hung:
        yield Reading("NVML hangs in", last.nvml_hung)
    yield Reading("NVML took", number(last.nvml_ms, ".1f"), "ms")


def _traffic(samples: Sequence[NodeSample]) -> Iterator[Reading]:
    last = samples[-1]
    yield _pair("RDMA in/out", samples, lambda s: s.rdma_rx_bytes, lambda s: s.rdma_tx_bytes, ".2f", 1e9, "GB/s")
    yield Reading("errors", number(last.rdma_errors, "d"))
    yield Reading("link", number(last.rdma_link_gbps, ".0f"), "Gbit/s")
    yield _pair("plain in/out", samples, lambda s: s.net_rx_bytes, lambda s: s.net_tx_bytes, ".1f", 1e6, "MB/s")


def _machine(samples: Sequence[NodeSample]) -> Iterator[Reading]:
    yield Reading("load", number(samples[-1].load1, ".1f"))
    yield Reading("sample no.", number(samples[-1].heartbeat, "d"))


def _pair(
    name: str, samples: Sequence[NodeSample], one: Counter, other: Counter, form: str, per: float, unit: str
) -> Reading:
    """Return two counters' rates as one reading; one dash where neither is known."""
    both = [number(rate(samples, counter), form, per) for counter in (one, other)]
    return Reading(name, UNKNOWN if both == [UNKNOWN] * 2 else "/".join(both), unit)


def number(value: float | None, form: str, per: float = 1) -> str:
    """Format a value in multiples of `per`; an unknown one is `-`."""
    return UNKNOWN if value is None else format(value / per if per != 1 else value, form)
