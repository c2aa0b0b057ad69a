"""How long one engine step takes, per topology: six parameters fitted to the published Gemma4-26B tables."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

DECODE_SHARE_IN_PREFILL = 0.3
"""What decodes add to a step that also prefills, as a share of a decode-only step; fitted with the rest."""


@dataclass(frozen=True, slots=True)
class StepModel:
    """The step times of one engine; every time in seconds."""

    a: float
    """Fixed cost of a step that prefills."""
    rate: float
    """Prompt tokens per second."""
    d0: float
    d1: float
    p: float
    overhead: float
    """Paid once per request before it reaches the scheduler: HTTP, tokenizing."""
    arrival_gap: float = 0.004
    """Requests sent together reach the scheduler this far apart."""

    def decode_step_s(self, b: int) -> float:
        """Return the duration of a step with `b` decodes and no prompt tokens."""
        return self.d0 + self.d1 * math.pow(b, self.p)

    def mixed_step_s(self, prompt_tokens: int, b: int) -> float:
        """Return the duration of a step with prompt tokens and `b` decodes beside them."""
        decodes = DECODE_SHARE_IN_PREFILL * self.decode_step_s(b) if b else 0.0
        return self.a + prompt_tokens / self.rate + decodes

    def step_s(self, prompt_tokens: int, b: int) -> float:
        """Return the duration of any step."""
        return self.mixed_step_s(prompt_tokens, b) if prompt_tokens else self.decode_step_s(b)

    def faster(self, factor: float) -> StepModel:
        """Return the same engine with every time divided by `factor`."""
        return replace(
            self,
            a=self.a / factor,
            rate=self.rate * factor,
            d0=self.d0 / factor,
            d1=self.d1 / factor,
            overhead=self.overhead / factor,
            arrival_gap=self.arrival_gap / factor,
        )


_SOLO = StepModel(a=0.0, rate=7271, d0=0.01751, d1=0.008146, p=0.5856, overhead=0.0789)
_CLUSTER = StepModel(a=0.0079, rate=9362, d0=0.01271, d1=0.004474, p=0.6528, overhead=0.0620)
_RAY_STEP_S = 0.00127
"""What Ray adds to every step: the whole published Ray table is this one constant."""

MODELS = {
    "solo": _SOLO,
    "cluster-tp2": _CLUSTER,
    "cluster-tp2-ray": replace(_CLUSTER, d0=_CLUSTER.d0 + _RAY_STEP_S),
}

SPREAD = 0.004
"""The standard deviation of a step time around its own, as a fraction of it."""


class Drift:
    """A slow, seeded wander of step times, so that repeated waves differ by fractions of a percent.

    A pure function of time: a few sines of seeded phase, with periods from seconds to minutes.
    """

    PERIODS_S = (2.9, 7.1, 17.0, 41.0, 97.0)

    def __init__(self, seed: int | str, spread: float = SPREAD) -> None:
        rng = random.Random(f"drift-{seed}")  # noqa: S311 - the same every time, on purpose
        amplitude = spread * math.sqrt(2 / len(self.PERIODS_S))
        self._waves = [(amplitude, math.tau / period, rng.uniform(0, math.tau)) for period in self.PERIODS_S]

    def factor(self, now: float) -> float:
        """Return what a step starting at `now` is multiplied by: 1 on average, its standard deviation `spread`."""
        return 1.0 + sum(amplitude * math.sin(speed * now + phase) for amplitude, speed, phase in self._waves)
