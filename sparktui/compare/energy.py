"""What a topology's GPUs took while its waves ran, from the nodes' samples: tokens per joule, joules per request.

The GPU's own energy counter is used where a node has one, else its power, joined by straight lines (trapezoid rule).
Both are the GPU's, not the node's: CPU, memory, network and power supply are not in them, and what an idle GPU draws is
not taken off. On a chip with unified memory it is what NVML gives for the GPU. Where a node of the topology said
nothing for `MAX_GAP_S`, or has fewer than `MIN_SAMPLES` samples over the cell, the energy is unknown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Literal

from sparktui.measure.cell import CellFigures, Figure
from sparktui.measure.figures import JOULES_PER_REQUEST, TOKENS_PER_JOULE
from sparktui.measure.record import WaveRecord
from sparktui.measure.usage import completion_tokens, good_requests

MAX_GAP_S = 3.0
"""Samples come twice a second: a longer silence may hide anything."""
MIN_SAMPLES = 4
"""Over a cell's waves; of fewer, the edges of the waves would decide."""

SHORT_WAVE_S = 2.0
"""A sample lies up to half a second from a wave's edges: of shorter waves the edges are a large part."""

Method = Literal["counter", "power"]


@dataclass(frozen=True, slots=True)
class PowerSample:
    """What one node said of its GPUs at one moment; None where it did not."""

    t: float
    """Wall clock, seconds since the epoch."""
    power_w: float | None
    energy_j: float | None
    """A counter that only rises, until the driver is loaded anew."""


@dataclass(frozen=True, slots=True)
class EnergyCurve:
    """The energy one node has taken up to each of its samples, in joules from an arbitrary start."""

    times: tuple[float, ...]
    joules: tuple[float, ...]
    method: Method

    def taken_j(self, start: float, end: float) -> float | None:
        """Return the joules between two moments; None where samples do not reach over them without a gap."""
        first = bisect_right(self.times, start) - 1
        last = bisect_right(self.times, end)
        if first < 0 or last >= len(self.times):
            return None
        if any(after - before > MAX_GAP_S for before, after in pairwise(self.times[first : last + 1])):
            return None
        return self._at(end) - self._at(start)

    def samples_within(self, start: float, end: float) -> int:
        """Return how many samples were taken between two moments."""
        return bisect_right(self.times, end) - bisect_right(self.times, start)

    def _at(self, moment: float) -> float:
        after = bisect_right(self.times, moment)
        (t0, t1), (j0, j1) = self.times[after - 1 : after + 1], self.joules[after - 1 : after + 1]
        return j0 + (j1 - j0) * (moment - t0) / (t1 - t0)


def energy_curve(samples: Sequence[PowerSample]) -> EnergyCurve | None:
    """Return a node's curve from its samples in their order; None where they tell neither energy nor power.

    The counter is taken where it is known about as long as the power is, if less often (asking an H100 for it takes
    five times what the other readings take), and where it rises and never falls.
    """
    ordered = [a for a, b in pairwise(samples) if a.t < b.t] + list(samples[-1:])
    counted = [(s.t, s.energy_j) for s in ordered if s.energy_j is not None]
    powers = [(s.t, s.power_w) for s in ordered if s.power_w is not None]
    if _covers(counted, powers) and _rises([joules for _, joules in counted]):
        return EnergyCurve(tuple(t for t, _ in counted), tuple(joules for _, joules in counted), "counter")
    if len(powers) < 2:
        return None
    steps = ((w0 + w1) / 2 * (t1 - t0) for (t0, w0), (t1, w1) in pairwise(powers))
    return EnergyCurve(tuple(t for t, _ in powers), tuple(accumulate(steps, initial=0.0)), "power")


def _covers(counted: Sequence[tuple[float, float]], powers: Sequence[tuple[float, float]]) -> bool:
    """Tell whether a counter is known near every moment at which the power is."""
    times = [t for t, _ in counted]
    return len(times) > 1 and all(_distance(times, t) <= MAX_GAP_S / 2 for t, _ in powers)


def _distance(times: Sequence[float], moment: float) -> float:
    after = bisect_right(times, moment)
    return min(abs(t - moment) for t in times[max(0, after - 1) : after + 1])


def _rises(joules: Sequence[float]) -> bool:
    return joules[-1] > joules[0] and all(before <= after for before, after in pairwise(joules))


def with_energy(
    figures: CellFigures, waves: Sequence[WaveRecord], curves: Mapping[str, EnergyCurve | None]
) -> CellFigures:
    """Add `tokens_per_joule` and `joules_per_request`, a value a wave, where every node's energy is known.

    Args:
        figures: Of a cell.
        waves: Its measured waves.
        curves: Of every node of its topology; None for one that tells no energy.
    """
    known = {node: curve for node, curve in curves.items() if curve is not None}
    if not waves or not curves:
        return figures
    if missing := _missing(waves, curves):
        return replace(figures, unknown=figures.unknown | {TOKENS_PER_JOULE.name: missing})
    taken = [(wave, joules) for wave in waves if (joules := _taken_j(wave, known.values()))]
    tokens = tuple(total / joules for wave, joules in taken if (total := _tokens(wave)))
    requests = tuple(joules / good for wave, joules in taken if (good := len(good_requests(wave.requests))))
    if not tokens:
        why = f"a node was silent for over {MAX_GAP_S:g} s, or its tokens are not known"
        return replace(figures, unknown=figures.unknown | {TOKENS_PER_JOULE.name: why})
    found = {f.kind.name: f for f in (Figure(TOKENS_PER_JOULE, tokens), Figure(JOULES_PER_REQUEST, requests))}
    return replace(
        figures, figures=figures.figures | found, notes=(*figures.notes, _included(known), *_known_badly(waves))
    )


def sampled_span(waves: Sequence[WaveRecord]) -> tuple[float, float]:
    """Return between which moments samples tell what some waves took: a gap more at either end."""
    windows = [wave_window(wave) for wave in waves]
    return min(start for start, _ in windows) - MAX_GAP_S, max(end for _, end in windows) + MAX_GAP_S


def _missing(waves: Sequence[WaveRecord], curves: Mapping[str, EnergyCurve | None]) -> str:
    """Say which nodes keep the energy from being known, and what would help; nothing where none does."""
    silent = [node for node, curve in curves.items() if curve is None]
    few = [node for node, curve in curves.items() if curve is not None and not _sampled(waves, curve)]
    if silent:
        return f"{' and '.join(silent)} told neither energy nor power"
    if few:
        return (
            f"its waves hold fewer than {MIN_SAMPLES} power samples of {' and '.join(few)}; longer answers (--tg) or "
            "more waves (--runs) hold more"
        )
    return ""


def _sampled(waves: Sequence[WaveRecord], curve: EnergyCurve) -> bool:
    return sum(curve.samples_within(*wave_window(wave)) for wave in waves) >= MIN_SAMPLES


def _known_badly(waves: Sequence[WaveRecord]) -> tuple[str, ...]:
    """Say that single waves are too short for their energy to be known well: by their length, whatever is kept."""
    if any(wave.duration_us >= SHORT_WAVE_S * 1e6 for wave in waves):
        return ()
    return (
        f"energy of waves under {SHORT_WAVE_S:g} s is known badly, as the ± and the intervals say: longer answers "
        "(--tg) or more waves (--runs) tell more",
    )


def _taken_j(wave: WaveRecord, curves: Collection[EnergyCurve]) -> float | None:
    each = [curve.taken_j(*wave_window(wave)) for curve in curves]
    known = [joules for joules in each if joules is not None]
    return sum(known) if len(known) == len(each) else None


def wave_window(wave: WaveRecord) -> tuple[float, float]:
    """Return between which moments a wave ran."""
    return wave.started_at, wave.started_at + wave.duration_us / 1e6


def _tokens(wave: WaveRecord) -> int | None:
    counts = [completion_tokens(request) for request in good_requests(wave.requests)]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _included(curves: Mapping[str, EnergyCurve]) -> str:
    """Say what the energy is of and from, in words that do not change with the nodes: once is enough for a race."""
    counted = all(curve.method == "counter" for curve in curves.values())
    source = "their own counters" if counted else "their power where they have no counter that can be relied on"
    return f"energy is the GPUs' only, idle draw included, from {source}"
