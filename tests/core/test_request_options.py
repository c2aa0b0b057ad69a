from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sparktui.load.link import LoadWorker
from sparktui.profile.model import Sampling, Workload
from sparktui.runner.request_options import Accepted, accepted
from sparktui.serving.plan import Backend, Plan
from tests.scripted_server import Peer, Script, scripted_server, stream

Refuses = Callable[[dict[str, object]], list[str]]


def server(refuses: Refuses, status: int, asked: list[dict[str, object]]) -> Script:
    """Return a server that refuses some keys of the body, and answers the rest."""

    async def script(peer: Peer) -> None:
        while (got := await peer.request()) is not None:
            body = json.loads(got[1])
            asked.append(body)
            if unwanted := refuses(body):
                said = json.dumps({"detail": f"Unexpected fields in the request: {unwanted}"}).encode()
                head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
                await peer.send(head.encode() + said)
            else:
                await peer.answer(*stream(2))

    return script


def keys(*unwanted: str) -> Refuses:
    return lambda body: [key for key in unwanted if key in body]


async def probe(refuses: Refuses, status: int = 422, **sampling: object) -> tuple[Accepted, list[dict[str, object]]]:
    asked: list[dict[str, object]] = []
    workload = Workload(tg=64, sampling=Sampling(**sampling))  # type: ignore[arg-type]
    async with scripted_server(server(refuses, status, asked)) as running, LoadWorker.start() as worker:
        plan = Plan("server", "m", running.url, (Backend("local", running.url),))
        return await accepted(plan, workload, None, worker), asked


async def test_a_server_that_takes_everything_is_asked_once_for_two_tokens() -> None:
    found, asked = await probe(keys())
    assert found == Accepted(Workload(tg=64))
    assert [body["max_tokens"] for body in asked] == [2]
    assert asked[0]["min_tokens"] == 2
    assert asked[0]["return_token_ids"] is True


@pytest.mark.parametrize("status", [400, 422])
async def test_token_ids_alone_are_dropped_where_only_they_are_refused(status: int) -> None:
    found, _ = await probe(keys("return_token_ids"), status)
    assert (found.workload.sampling.token_ids, found.workload.sampling.exact_tg) == (False, True)
    assert found.refused is not None
    assert found.refused.startswith(f"the server refuses return_token_ids (http {status}: ")


async def test_exact_tg_alone_is_dropped_where_only_that_is_refused() -> None:
    found, _ = await probe(keys("min_tokens"))
    assert (found.workload.sampling.token_ids, found.workload.sampling.exact_tg) == (True, False)
    assert found.refused is not None
    assert "min_tokens and ignore_eos" in found.refused


async def test_both_are_dropped_where_both_are_refused_in_one_answer() -> None:
    found, asked = await probe(keys("return_token_ids", "min_tokens", "ignore_eos"))
    assert (found.workload.sampling.token_ids, found.workload.sampling.exact_tg) == (False, False)
    assert len(asked) == 4
    assert found.workload.tg == 64


async def test_what_was_not_asked_for_is_not_dropped() -> None:
    found, asked = await probe(keys("return_token_ids"), exact_tg=False)
    assert found.workload.sampling == Sampling(exact_tg=False, token_ids=False)
    assert len(asked) == 2


async def test_a_refusal_about_something_else_changes_nothing() -> None:
    found, _ = await probe(keys("max_tokens"))
    assert found == Accepted(Workload(tg=64))


async def test_an_error_of_the_server_changes_nothing_and_is_not_asked_about_again() -> None:
    found, asked = await probe(keys("max_tokens"), status=503)
    assert found == Accepted(Workload(tg=64))
    assert len(asked) == 1
