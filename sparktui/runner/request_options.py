"""Which of the options asked for a server takes: found out by short requests, before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sparktui.load.link import LoadWorker
from sparktui.load.messages import StartWave
from sparktui.load.request import Prompt, RequestBuilder
from sparktui.profile.model import Sampling, Workload
from sparktui.serving.plan import Plan

PROBE = Prompt("Hello")
PROBE_TG = 2
PROBE_TIMEOUT_S = 120.0
_REFUSALS = ("http 400", "http 422")
"""What servers answer to a body with a key they do not know, or do not allow."""
_MAY_GO = {"token_ids": "return_token_ids", "exact_tg": "min_tokens and ignore_eos"}
"""What a race can do without, and the keys of the body it stands for; the first to go first."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The workload with what the server takes, and why it is not what was asked."""

    workload: Workload
    refused: str | None = None


async def accepted(plan: Plan, workload: Workload, key: str | None, worker: LoadWorker) -> Accepted:
    """Return the workload without the options that the server refuses; as it is where refusals are about other things.

    Raises:
        WorkerError: The load worker failed.
    """
    first = await _error(plan, workload, key, worker)
    if not _is_refusal(first):
        return Accepted(workload)
    for without in _fewer(workload.sampling):
        sampling = workload.sampling.model_copy(update=dict.fromkeys(without, False))
        lesser = workload.model_copy(update={"sampling": sampling})
        if await _error(plan, lesser, key, worker) is None:
            return Accepted(lesser, f"the server refuses {' and '.join(_MAY_GO[name] for name in without)} ({first})")
    return Accepted(workload)


def _fewer(sampling: Sampling) -> Iterator[tuple[str, ...]]:
    asked = tuple(name for name in _MAY_GO if getattr(sampling, name))
    yield from ((name,) for name in asked)
    if len(asked) > 1:
        yield asked


async def _error(plan: Plan, workload: Workload, key: str | None, worker: LoadWorker) -> str | None:
    short = workload.model_copy(update={"tg": min(PROBE_TG, workload.tg)})
    builder = RequestBuilder(plan.url, plan.model, short, key)
    record = await worker.run(StartWave(builder.target, (builder.build(PROBE),), PROBE_TIMEOUT_S))
    return record.requests[0].error


def _is_refusal(error: str | None) -> bool:
    return error is not None and error.startswith(_REFUSALS)
