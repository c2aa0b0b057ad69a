"""A wave played by the scheduler alone, without waiting: what an ideal client would have seen."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.measure.record import RequestRecord, WaveRecord
from sparktui.sim.model import StepModel
from sparktui.sim.scheduler import Generation, Limits, Scheduler, StepNoise


def play_wave(
    model: StepModel, requests: int, *, pp: int, tg: int, noise: StepNoise | None = None, start: float = 0.0
) -> list[Generation]:
    """Run requests of `pp` prompt tokens and `tg` answer tokens that are all sent at `start`."""
    scheduler = Scheduler(model, Limits(prefix_caching=False), noise)
    generations = [Generation(range(pp), tg) for _ in range(requests)]
    for generation in generations:
        scheduler.submit(generation, start)
    free_at = start
    while (begins := scheduler.next_start(free_at)) is not None:
        step = scheduler.start(begins)
        if step is None:
            free_at = begins
            continue
        scheduler.finish(step)
        free_at = step.ends
    return generations


def record_of(generations: Sequence[Generation], sent: float) -> WaveRecord:
    """Return a played wave as a client sending at `sent` would have recorded it."""
    requests = tuple(
        RequestRecord(
            slot=slot,
            sent_us=0,
            ttft_us=_us(generation.first_token, sent),
            last_us=_us(generation.last_token, sent),
            ended_us=_us(generation.last_token, sent),
            first_tokens=1,
            prompt_tokens=len(generation.prompt),
            completion_tokens=generation.generated,
            finish=generation.finish,
            token_source="usage",  # noqa: S106 - no secret
        )
        for slot, generation in enumerate(generations)
    )
    duration = max((request.ended_us or 0 for request in requests), default=0)
    return WaveRecord(started_at=0.0, duration_us=duration, clock="user", requests=requests)


def _us(moment: float | None, sent: float) -> int | None:
    return None if moment is None else round((moment - sent) * 1e6)
