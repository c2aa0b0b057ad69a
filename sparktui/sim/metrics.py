"""The simulated engine's /metrics page: vLLM's own names, labels and buckets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sparktui.serving.embedded import METRIC
from sparktui.sim.scheduler import Generation, Scheduler, Step

FINISH_REASONS = ("stop", "length", "abort", "error")

_SECONDS_TO_FIRST = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
)  # fmt: skip
_SECONDS_BETWEEN = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
_SECONDS_IN_ALL = (
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
)  # fmt: skip
_TOKENS_A_STEP = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_LABELS = ("model_name", "engine")


class EngineMetrics:
    """What one engine has done; a collector of its own registry, so nothing of this process's leaks in."""

    def __init__(self, model: str, scheduler: Scheduler) -> None:
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.finished: Counter[str] = Counter()
        self._scheduler = scheduler
        self._label_values = (model, "0")
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._ttft = self._histogram("time_to_first_token_seconds", _SECONDS_TO_FIRST)
        self._itl = self._histogram("inter_token_latency_seconds", _SECONDS_BETWEEN)
        self._e2e = self._histogram("e2e_request_latency_seconds", _SECONDS_IN_ALL)
        self._queue = self._histogram("request_queue_time_seconds", _SECONDS_IN_ALL)
        self._prefill = self._histogram("request_prefill_time_seconds", _SECONDS_IN_ALL)
        self._decode = self._histogram("request_decode_time_seconds", _SECONDS_IN_ALL)
        self._iteration = self._histogram("iteration_tokens_total", _TOKENS_A_STEP)

    def page(self) -> bytes:
        """Return the page in Prometheus' text format."""
        return generate_latest(self._registry)

    def step(self, step: Step, made: Sequence[Generation]) -> None:
        """Count a step that has ended and the tokens it made."""
        self._iteration.observe(step.prompt_tokens + len(step.decodes))
        self.generation_tokens += len(made)
        # Every decode takes part in every step, so the step's length is each one's inter-token latency.
        seconds = step.ends - step.starts
        for generation in made:
            if generation.generated == 1:
                self._first_token(generation, step.ends)
            else:
                self._itl.observe(seconds)
            if generation.done:
                self._last_token(generation, step.ends)

    def aborted(self) -> None:
        """Count a request whose client went away."""
        self.finished["abort"] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges and counters as they are now."""
        scheduler = self._scheduler
        yield self._gauge("vllm:num_requests_running", "Requests in model execution batches.", len(scheduler.running))
        yield self._gauge("vllm:num_requests_waiting", "Requests waiting to be processed.", len(scheduler.waiting))
        yield self._gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", scheduler.kv_usage)
        yield self._counter("prefix_cache_queries", "Prefix cache queries, in tokens.", scheduler.prefix.queries)
        yield self._counter("prefix_cache_hits", "Prefix cache hits, in tokens.", scheduler.prefix.hits)
        yield self._counter("num_preemptions", "Cumulative number of preemptions.", 0)
        yield self._counter("prompt_tokens", "Number of prefill tokens processed.", self.prompt_tokens)
        yield self._counter("generation_tokens", "Number of generation tokens processed.", self.generation_tokens)
        success = CounterMetricFamily(
            "vllm:request_success", "Successfully processed requests.", labels=(*_LABELS, "finished_reason")
        )
        for reason in FINISH_REASONS:
            success.add_metric((*self._label_values, reason), self.finished[reason])
        yield success
        yield self._gauge(METRIC, "SIMULATED: no figure on this page is a measurement.", 1)

    def _first_token(self, generation: Generation, now: float) -> None:
        self.prompt_tokens += len(generation.prompt)
        self._ttft.observe(now - generation.received)
        if generation.scheduled is not None:
            self._queue.observe(generation.scheduled - generation.arrives)
            self._prefill.observe(now - generation.scheduled)

    def _last_token(self, generation: Generation, now: float) -> None:
        self.finished[generation.finish] += 1
        self._e2e.observe(now - generation.received)
        if generation.first_token is not None:
            self._decode.observe(now - generation.first_token)

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(name, text, labels=_LABELS)
        family.add_metric(self._label_values, value)
        return family

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(f"vllm:{name}", text, labels=_LABELS)
        family.add_metric(self._label_values, value)
        return family

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> Histogram:
        family = Histogram(f"vllm:{name}", f"vLLM's {name}.", _LABELS, buckets=buckets, registry=self._registry)
        return family.labels(*self._label_values)
