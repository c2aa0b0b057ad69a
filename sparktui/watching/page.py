"""One look at an engine's /metrics page: its counters and gauges, and how long requests waited, as histograms."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from sparktui.errors import EngineError
from sparktui.measure.metrics_page import MOST, one_rank_each, parse_metrics
from sparktui.measure.server_figures import ServerFigures
from sparktui.serving.embedded import METRIC
from sparktui.watching.histogram import Histogram

TTFT = ("vllm:time_to_first_token_seconds", "sglang:time_to_first_token_seconds")
ITL = (
    "vllm:inter_token_latency_seconds",
    "vllm:time_per_output_token_seconds",
    "sglang:inter_token_latency_seconds",
    "sglang:time_per_output_token_seconds",
)
"""The `time_per_output_token` ones are those of older versions; the first that is there counts. llama.cpp has none."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one engine said of itself."""

    figures: ServerFigures
    ttft_s: Histogram | None = None
    itl_s: Histogram | None = None
    simulated: bool = False
    """Whether it is the embedded engine's."""


def read_page(text: str) -> Page:
    """Read a /metrics page.

    Raises:
        EngineError: It is no Prometheus text, or holds nothing of an engine that is known here.
    """
    plain = _unquoted(text)
    simulated = any(line.startswith(METRIC) for line in plain.split("\n"))
    return Page(parse_metrics(plain), _first(plain, TTFT), _first(plain, ITL), simulated)


def _unquoted(text: str) -> str:
    """Return the page of the llama.cpp releases that answer with it as one JSON string."""
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text


def _first(page: str, names: tuple[str, ...]) -> Histogram | None:
    return next((found for name in names if (found := _histogram(page, f"{name}_bucket")) is not None), None)


def _histogram(page: str, bucket: str) -> Histogram | None:
    """Return the histogram of all engines and all labels behind one page."""
    lines = [line for line in page.split("\n") if line.startswith(bucket + "{")]
    if not lines:
        return None
    counts: defaultdict[float, float] = defaultdict(float)
    try:
        families = text_string_to_metric_families("\n".join(lines) + "\n")
        for sample in one_rank_each(sample for family in families for sample in family.samples):
            counts[float(sample.labels["le"])] += min(sample.value, MOST)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the metrics page cannot be read: {error}", "is this an engine's /metrics?") from error
    bounds = tuple(sorted(bound for bound in counts if not math.isnan(bound)))
    return Histogram(bounds, tuple(counts[bound] for bound in bounds)) if bounds else None
