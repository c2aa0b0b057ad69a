"""The calculators `benchy-0.3.5` and `benchy-0.4.0`: the figures llama-benchy would have printed of the same events.

Field by field those of its JSON report: means of rates, population standard deviations, values in its order. At one
request a wave its totals are those of the requests. Nothing is measured anew: it is its arithmetic on our time stamps.
Where its own tokenizer would have counted (0.4.0, a server that says nothing), one token an event is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from sparktui.measure import usage
from sparktui.measure.benchy_peak import Series, rate_over_time
from sparktui.measure.benchy_stream import streams
from sparktui.measure.benchy_wave import RULES_0_3_5, RULES_0_4_0, Rules, Values, WaveValues, wave_values
from sparktui.measure.cell import CellContext, CellFigures, Figure, described, figure_by_request
from sparktui.measure.figures import FIGURES
from sparktui.measure.record import WaveRecord
from sparktui.measure.statistics import mean, population_std

_FIGURE_NAMES = {
    "tg_throughput": "decode_tps",
    "tg_req_throughput": "decode_tps_stream",
    "pp_throughput": "prefill_tps",
    "pp_req_throughput": "prefill_tps_stream",
    "peak_throughput": "peak_tps",
    "peak_req_throughput": "peak_tps_stream",
    "e2e_ttft": "ttft_ms",
    "ttfr": "ttfr_ms",
    "est_ppt": "est_ppt_ms",
}
"""llama-benchy's names and ours."""
_MILLISECONDS = frozenset({"e2e_ttft", "ttfr", "est_ppt"})
_BY_WAVE = frozenset({"tg_throughput", "pp_throughput", "peak_throughput"})
"""At most one value a wave; the others have one a request."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a report, as its JSON has it."""

    mean: float
    """The arithmetic mean, of rates too."""
    std: float
    """With n below."""
    values: Values


@dataclass(frozen=True, slots=True)
class BenchyRun:
    """What llama-benchy reports of one cell: rates in tokens per second, times in milliseconds; None without values."""

    pp_throughput: Metric | None
    pp_req_throughput: Metric | None
    tg_throughput: Metric | None
    tg_req_throughput: Metric | None
    peak_throughput: Metric | None
    peak_req_throughput: Metric | None
    ttfr: Metric | None
    est_ppt: Metric | None
    e2e_ttft: Metric | None


def run_0_3_5(waves: Sequence[WaveRecord], context: CellContext) -> BenchyRun:
    """Return what llama-benchy 0.3.5 reports of a cell's measured waves."""
    return _run(_each(waves, context, RULES_0_3_5))


def run_0_4_0(waves: Sequence[WaveRecord], context: CellContext) -> BenchyRun:
    """Return what llama-benchy 0.4.0 reports of a cell's measured waves."""
    return _run(_each(waves, context, RULES_0_4_0))


def cell_figures_0_3_5(waves: Sequence[WaveRecord], context: CellContext) -> CellFigures:
    """Compute a cell's figures as llama-benchy 0.3.5 does, under our names."""
    return _cell_figures(waves, context, RULES_0_3_5)


def cell_figures_0_4_0(waves: Sequence[WaveRecord], context: CellContext) -> CellFigures:
    """Compute a cell's figures as llama-benchy 0.4.0 does, under our names."""
    return _cell_figures(waves, context, RULES_0_4_0)


def throughput_over_time(waves: Iterable[WaveRecord], rules: Rules) -> list[Series]:
    """Return llama-benchy's total series, one for each wave with tokens; each has a time zero of its own."""
    merged = ([at_s for s in streams(wave.requests, rules.count) for at_s in s.token_times_s] for wave in waves)
    return [rate_over_time(times_s) for times_s in merged if times_s]


def requests_throughput_over_time(waves: Iterable[WaveRecord], rules: Rules) -> list[list[Series]]:
    """Return llama-benchy's series for each request of each wave; an empty one for a request without tokens."""
    return [
        [rate_over_time(stream.token_times_s) for stream in good]
        for wave in waves
        if (good := streams(wave.requests, rules.count))
    ]


def _each(waves: Iterable[WaveRecord], context: CellContext, rules: Rules) -> list[WaveValues]:
    """Return each wave's values; where a wave is one request, its totals are the request's."""
    each = [wave_values(wave, rules, context.prompt_tokens, context.latency_s or 0.0) for wave in waves]
    if context.concurrency > 1:
        return each
    return [replace(one, pp_throughput=one.pp_req_throughput, tg_throughput=one.tg_req_throughput) for one in each]


def _run(each: Sequence[WaveValues]) -> BenchyRun:
    return BenchyRun(**{field.name: _metric(field.name, each) for field in fields(BenchyRun)})


def _metric(name: str, each: Iterable[WaveValues]) -> Metric | None:
    values = tuple(value for wave in _scaled(name, each) for value in wave)
    centre, std = mean(values), population_std(values)
    return None if centre is None or std is None else Metric(centre, std, values)


def _scaled(name: str, each: Iterable[WaveValues]) -> list[Values]:
    scale = 1000 if name in _MILLISECONDS else 1
    return [tuple(value * scale for value in getattr(wave, name)) for wave in each]


def _cell_figures(waves: Sequence[WaveRecord], context: CellContext, rules: Rules) -> CellFigures:
    """Leave every figure out where requests were not sent in waves: llama-benchy knows no other shape."""
    defined = context.shape == "waves"
    each = _each(waves, context, rules) if defined else []
    requests = sum(len(wave.requests) for wave in waves)
    good = [stream for wave in waves for stream in streams(wave.requests, rules.count)]
    return described(
        CellFigures(
            calculator=f"benchy-{rules.version}",
            figures=_figures(each),
            waves=len(waves),
            requests=requests,
            errors=requests - sum(len(usage.good_requests(wave.requests)) for wave in waves),
            token_source=_token_source(waves, rules),
            prompt_tokens=sum(stream.prompt_tokens for stream in good) or None,
            completion_tokens=sum(stream.tokens for stream in good) or None,
            notes=tuple(_notes(waves, context, rules)),
        ),
        waves,
    )


def _figures(each: Sequence[WaveValues]) -> dict[str, Figure]:
    figures = (_figure(theirs, name, each) for theirs, name in _FIGURE_NAMES.items())
    return {figure.kind.name: figure for figure in figures if figure.values}


def _figure(theirs: str, name: str, each: Sequence[WaveValues]) -> Figure:
    by_wave = _scaled(theirs, each)
    if theirs in _BY_WAVE:
        return Figure(FIGURES[name], tuple(value for wave in by_wave for value in wave))
    return figure_by_request(replace(FIGURES[name], per="request"), by_wave)


def _token_source(waves: Iterable[WaveRecord], rules: Rules) -> str:
    good = [request for wave in waves for request in usage.good_requests(wave.requests)]
    return " + ".join(sorted({rules.source(request) for request in good})) or "none"


def _notes(waves: Iterable[WaveRecord], context: CellContext, rules: Rules) -> Iterable[str]:
    name = f"benchy-{rules.version}"
    if context.shape != "waves":
        yield f"{name} is not defined for the shape {context.shape}: no figures"
        return
    if context.latency_s is None:
        yield f"{name}: the server's latency is not known, nothing is taken off est_ppt and each stream's prefill"
    good_there = sum(len(streams(wave.requests, rules.count)) for wave in waves)
    good = sum(len(usage.good_requests(wave.requests)) for wave in waves)
    if good_there > good:
        yield f"{name} takes {good_there - good} of the failed requests for good ones"
