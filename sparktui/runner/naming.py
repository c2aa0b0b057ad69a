"""Whether a server calls what answers by the name it was asked for, so that another name later is another model."""

from __future__ import annotations

from sparktui.load.link import LoadWorker
from sparktui.load.messages import Expected, StartWave
from sparktui.load.request import Prompt, RequestBuilder
from sparktui.profile.model import Workload
from sparktui.serving.plan import Plan

PROBE = Prompt("Hello")
PROBE_TIMEOUT_S = 120.0


async def why_unnamed(plan: Plan, workload: Workload, key: str | None, worker: LoadWorker) -> str | None:
    """Return why answers cannot be told by their name, such as a proxy that has names of its own; None where they can.

    Raises:
        WorkerError: The load worker failed.
    """
    builder = RequestBuilder(plan.url, plan.model, workload.model_copy(update={"tg": 1}), key)
    order = StartWave(builder.target, (builder.build(PROBE),), PROBE_TIMEOUT_S, Expected(plan.model))
    return (await worker.run(order)).requests[0].error
