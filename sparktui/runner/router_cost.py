"""What the proxy in front of replicas adds to a first token: the same request, direct and routed, in turn."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from statistics import median

from sparktui.load.link import LoadWorker
from sparktui.load.messages import StartWave
from sparktui.load.request import Prompt, RequestBuilder
from sparktui.profile.model import Workload
from sparktui.serving.plan import Plan

PAIRS = 10
PROBE_TIMEOUT_S = 60.0
PROBE = Prompt("Hello")


@dataclass(frozen=True, slots=True)
class RouterCost:
    """Medians over pairs on an idle server, in milliseconds."""

    direct_ms: float
    routed_ms: float
    pairs: int

    @property
    def added_ms(self) -> float:
        """What the proxy adds."""
        return self.routed_ms - self.direct_ms


async def router_cost(plan: Plan, workload: Workload, key: str | None, worker: LoadWorker) -> RouterCost | None:
    """Measure time to first token with and without the proxy; None where too few requests came back.

    Raises:
        WorkerError: The load worker failed.
    """
    short = workload.model_copy(update={"tg": 1})
    routed = RequestBuilder(plan.url, plan.model, short, key)
    engines = cycle([RequestBuilder(backend.url, plan.model, short) for backend in plan.backends])
    pairs: list[tuple[float, float]] = []
    for number in range(PAIRS + 1):
        pair = (await _ttft_ms(worker, next(engines)), await _ttft_ms(worker, routed))
        if number and pair[0] is not None and pair[1] is not None:  # the first opens connections
            pairs.append((pair[0], pair[1]))
    if len(pairs) < PAIRS // 2:
        return None
    return RouterCost(median(direct for direct, _ in pairs), median(routed for _, routed in pairs), len(pairs))


async def _ttft_ms(worker: LoadWorker, builder: RequestBuilder) -> float | None:
    record = await worker.run(StartWave(builder.target, (builder.build(PROBE),), PROBE_TIMEOUT_S))
    request = record.requests[0]
    return None if request.error is not None or request.ttft_us is None else request.ttft_us / 1000
