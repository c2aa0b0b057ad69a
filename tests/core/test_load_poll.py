from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator

import pytest

from sparktui.load.poll import ReadPoll

if sys.platform != "linux":
    pytest.skip("epoll is Linux's", allow_module_level=True)

LIMIT_S = 10.0
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [socket.socketpair() for _ in range(3)]
    for end in (end for pair in made for end in pair):
        end.setblocking(False)
    yield made
    for end in (end for pair in made for end in pair):
        end.close()


async def until(happened: asyncio.Event) -> None:
    async with asyncio.timeout(LIMIT_S):
        await happened.wait()


async def test_whoever_has_something_to_read_is_called_and_nobody_else(pairs: list[Pair]) -> None:
    poll, read, second = ReadPoll.of(asyncio.get_running_loop()), [], asyncio.Event()

    def readable(number: int) -> None:
        read.append((number, pairs[number][1].recv(10)))
        if len(read) == 2:
            second.set()

    for number, (_, end) in enumerate(pairs):
        poll.watch(end.fileno(), lambda number=number: readable(number))  # type: ignore[misc]
    pairs[0][0].send(b"a")
    pairs[2][0].send(b"c")
    await until(second)
    assert sorted(read) == [(0, b"a"), (2, b"c")]
    for _, end in pairs:
        poll.forget(end.fileno())


async def test_one_that_is_forgotten_by_another_in_the_same_round_is_not_called(pairs: list[Pair]) -> None:
    poll, called, once = ReadPoll.of(asyncio.get_running_loop()), [], asyncio.Event()
    ends = [end for _, end in pairs]

    def readable(end: socket.socket) -> None:
        called.append(end)
        for each in ends:
            poll.forget(each.fileno())
        once.set()

    for end in ends:
        poll.watch(end.fileno(), lambda end=end: readable(end))  # type: ignore[misc]
    for writer, _ in pairs:
        writer.send(b"x")
    await until(once)
    await asyncio.sleep(0)
    assert len(called) == 1


async def test_the_loop_gets_its_turn_though_there_is_always_something_to_read(pairs: list[Pair]) -> None:
    poll = ReadPoll.of(asyncio.get_running_loop())
    pairs[0][0].send(b"x")
    poll.watch(pairs[0][1].fileno(), lambda: None)
    async with asyncio.timeout(LIMIT_S):
        for _ in range(3):
            await asyncio.sleep(0.001)
    poll.forget(pairs[0][1].fileno())


async def test_a_loop_has_one_poll_until_the_last_file_is_forgotten(pairs: list[Pair]) -> None:
    loop = asyncio.get_running_loop()
    poll = ReadPoll.of(loop)
    assert ReadPoll.of(loop) is poll
    poll.watch(pairs[0][1].fileno(), lambda: None)
    poll.forget(pairs[0][1].fileno())
    assert ReadPoll.of(loop) is not poll
