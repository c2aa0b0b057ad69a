"""What the screen is told of a wave in flight: counts and percentiles, worked out when a picture is taken."""

from __future__ import annotations

import time

from sparktui.load.lag import percentile
from sparktui.load.messages import SLOT_DECODING, SLOT_DONE, SLOT_FAILED, SLOT_PREFILL, SLOT_WAITING, Progress
from sparktui.load.pool import Pool
from sparktui.load.stream_rates import StreamRates
from sparktui.load.wave import Wave

InFlight = Wave | Pool


class Gauge:
    """Takes pictures of waves and pool runs, one after another, with counts that run on from wave to wave."""

    def __init__(self) -> None:
        self._tokens_before = 0
        self._prefilled_before = 0
        self._most_tokens = 0
        self._cpu_s = time.process_time()
        self._wall_s = time.monotonic()
        self._stream_rates = StreamRates()

    def picture(self, wave: InFlight) -> Progress:
        """Return the state of what is in flight as last decoded."""
        states = bytes(slot.state for slot in wave.slots)
        started = [t for slot in wave.counted if (t := slot.reader.completion.ttft_us) is not None]
        ttfts = sorted((*wave.past.ttfts_us, *started))
        gaps = sorted(_new_gaps(wave))
        lags = sorted(wave.lags.recent_ns)
        wave.lags.recent_ns.clear()
        rates = sorted(self._stream_rates.of(wave.slots, time.monotonic()))
        return Progress(
            tokens=self._tokens(wave),
            prefilled=self._prefilled_before + wave.past.prefilled + len(started),
            waiting=states.count(SLOT_WAITING),
            prefill=states.count(SLOT_PREFILL),
            active=states.count(SLOT_DECODING),
            done=wave.past.done + states.count(SLOT_DONE),
            failed=wave.past.failed + states.count(SLOT_FAILED),
            slots=states,
            ttft_p50_ms=_thousandth(percentile(ttfts, 0.5)),
            ttft_p95_ms=_thousandth(percentile(ttfts, 0.95)),
            ttft_max_ms=_thousandth(percentile(ttfts, 1.0)),
            itl_p50_ms=_thousandth(percentile(gaps, 0.5)),
            itl_p95_ms=_thousandth(percentile(gaps, 0.95)),
            itl_max_ms=_thousandth(percentile(gaps, 1.0)),
            stream_p5_tps=percentile(rates, 0.05),
            stream_p50_tps=percentile(rates, 0.5),
            stream_p95_tps=percentile(rates, 0.95),
            lag_p50_us=_thousandth(percentile(lags, 0.5)),
            lag_p99_us=_thousandth(percentile(lags, 0.99)),
            worker_cpu=self._cpu(),
        )

    def add_up(self, wave: InFlight) -> None:
        """Keep the counts of what is over."""
        self._tokens_before += _tokens_of(wave)
        self._prefilled_before += wave.past.prefilled
        self._prefilled_before += sum(bool(slot.reader.completion.marks) for slot in wave.counted)

    def _tokens(self, wave: InFlight) -> int:
        # `usage` may correct a count downwards; a counter on screen must not run backwards.
        self._most_tokens = max(self._most_tokens, self._tokens_before + _tokens_of(wave))
        return self._most_tokens

    def _cpu(self) -> float:
        cpu_s, wall_s = time.process_time(), time.monotonic()
        share = (cpu_s - self._cpu_s) / max(1e-9, wall_s - self._wall_s)
        self._cpu_s, self._wall_s = cpu_s, wall_s
        return share


def _tokens_of(wave: InFlight) -> int:
    return wave.past.tokens + sum(slot.reader.completion.tokens for slot in wave.counted)


def _new_gaps(wave: InFlight) -> list[int]:
    gaps, wave.past.gaps_us = wave.past.gaps_us, []
    for slot in wave.slots:
        gaps += slot.new_gaps()
    return gaps


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
