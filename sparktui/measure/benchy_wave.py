"""The figures that llama-benchy takes from one wave (it says run), and from each request of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sparktui.measure.benchy_peak import peak_tps
from sparktui.measure.benchy_stream import Count, Stream, count_chunks, count_tokens, counted_by, streams
from sparktui.measure.record import RequestRecord, WaveRecord

MAX_PROMPT_SHARE_OFF = 0.2
"""The server's prompt count is believed where it is nearer to the expected one than this."""

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs between two versions."""

    version: str
    count: Count
    source: Callable[[RequestRecord], str]
    """Where the count of a request's tokens comes from."""
    stream_tps: Callable[[Stream], float | None]
    decode_tokens: Callable[[Sequence[Stream]], int]
    """Tokens of a wave that are taken to have been decoded between its first token and its last."""


@dataclass(frozen=True, slots=True)
class WaveValues:
    """One wave's figures under llama-benchy's names, in seconds; each holds no value, one, or one a request."""

    pp_throughput: Values
    pp_req_throughput: Values
    tg_throughput: Values
    tg_req_throughput: Values
    peak_throughput: Values
    peak_req_throughput: Values
    ttfr: Values
    est_ppt: Values
    e2e_ttft: Values


def wave_values(wave: WaveRecord, rules: Rules, expected_prompt_tokens: int, latency_s: float) -> WaveValues:
    """Compute a wave's figures.

    Args:
        wave: With its token events.
        rules: A version's.
        expected_prompt_tokens: Prompt and context tokens asked for.
        latency_s: Subtracted from the time to first response to estimate the time of the prefill.
    """
    good = streams(wave.requests, rules.count)
    prompts = [prompt_tokens(stream, expected_prompt_tokens) for stream in good]
    prefills_s = [_prefill_s(stream, latency_s) for stream in good]
    return WaveValues(
        pp_throughput=_known([_prefill_tps(good, sum(prompts))]),
        pp_req_throughput=_known(p / s if s else None for p, s in zip(prompts, prefills_s, strict=True)),
        tg_throughput=_known([_decode_tps(good, rules.decode_tokens(good))]),
        tg_req_throughput=_known(rules.stream_tps(stream) for stream in good),
        peak_throughput=_known([peak_tps([at_s for stream in good for at_s in stream.token_times_s])]),
        peak_req_throughput=_known(peak_tps(stream.token_times_s) for stream in good),
        ttfr=_known(_since_start(stream, stream.first_response_s) for stream in good),
        est_ppt=_known(prefills_s),
        e2e_ttft=_known(_since_start(stream, stream.first_token_s) for stream in good),
    )


def prompt_tokens(stream: Stream, expected: int) -> int:
    """Return the server's count of a prompt where that is believable, else the expected one."""
    believable = stream.prompt_tokens > 0 and abs(stream.prompt_tokens - expected) < expected * MAX_PROMPT_SHARE_OFF
    return stream.prompt_tokens if believable else expected


def _prefill_s(stream: Stream, latency_s: float) -> float | None:
    """Return the estimated time of the prefill (`est_ppt`); None of a request without a token."""
    if stream.first_token_s is None or stream.first_response_s is None:
        return None
    return max(0.0, stream.first_response_s - stream.start_s - latency_s)


def _prefill_tps(good: Sequence[Stream], prompts: int) -> float | None:
    first_tokens_s = [stream.first_token_s for stream in good if stream.first_token_s is not None]
    if not first_tokens_s:
        return None
    span_s = max(first_tokens_s) - min(stream.start_s for stream in good)
    return prompts / span_s if span_s > 0 else None


def _decode_tps(good: Sequence[Stream], tokens: int) -> float | None:
    first_tokens_s = [stream.first_token_s for stream in good if stream.first_token_s is not None]
    lasts_s = [stream.token_times_s[-1] if stream.token_times_s else stream.end_s for stream in good]
    if not first_tokens_s:
        return None
    span_s = max(last_s for last_s in lasts_s if last_s is not None) - min(first_tokens_s)
    return tokens / span_s if span_s > 0 and tokens > 0 else None


def _stream_tps_by_end(stream: Stream) -> float | None:
    """Divide by the time from the first token to the end of the body, whatever else came in between."""
    if stream.tokens < 2 or stream.first_token_s is None or stream.end_s is None:
        return None
    span_s = stream.end_s - stream.first_token_s
    return (stream.tokens - 1) / span_s if span_s > 0 else None


def _stream_tps_by_last_token(stream: Stream) -> float | None:
    if stream.tokens < 2 or len(stream.token_times_s) < 2:
        return None
    span_s = stream.token_times_s[-1] - stream.token_times_s[0]
    tokens = stream.tokens_after_first_time
    return tokens / span_s if span_s > 0 and tokens > 0 else None


def _all_but_one_each(good: Sequence[Stream]) -> int:
    """Leave one token out for every request, one that had none included."""
    return sum(stream.tokens for stream in good) - len(good)


def _after_first_time(good: Sequence[Stream]) -> int:
    return sum(stream.tokens_after_first_time for stream in good)


def _since_start(stream: Stream, at_s: float | None) -> float | None:
    return None if at_s is None else at_s - stream.start_s


def _known(values: Iterable[float | None]) -> Values:
    return tuple(value for value in values if value is not None)


RULES_0_3_5 = Rules("0.3.5", count_chunks, lambda _: "chunks", _stream_tps_by_end, _all_but_one_each)
RULES_0_4_0 = Rules("0.4.0", count_tokens, counted_by, _stream_tps_by_last_token, _after_first_time)
