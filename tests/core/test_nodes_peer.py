"""The agent's end of a connection: it takes what the socket takes, keeps little, and drops samples before news."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sparktui.nodes.peer import LINE_AT_MOST_BYTES, NEWS_AT_MOST_BYTES, PENDING_AT_MOST_BYTES, Peer

LONG = "x" * 10_000


@pytest.fixture
def ends() -> Iterator[tuple[Peer, socket.socket]]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        yield Peer(ours), theirs


def arrived(theirs: socket.socket, peer: Peer) -> list[dict[str, Any]]:
    data = b""
    while True:
        peer.flush()
        try:
            data += theirs.recv(1 << 20)
        except BlockingIOError:
            return [json.loads(line) for line in data.splitlines()]


def test_what_is_sent_arrives_line_by_line(ends: tuple[Peer, socket.socket]) -> None:
    peer, theirs = ends
    peer.send({"sample": {"t": 1}})
    peer.send({"guard": {"t": 2}})
    assert arrived(theirs, peer) == [{"sample": {"t": 1}}, {"guard": {"t": 2}}]
    assert not peer.has_pending


def test_samples_that_nobody_reads_are_dropped_and_news_are_not(ends: tuple[Peer, socket.socket]) -> None:
    peer, theirs = ends
    for t in range(500):
        peer.send({"sample": {"t": t, "top": LONG}})
    peer.send({"acted": {"t": 500}})
    found = arrived(theirs, peer)
    times = [entry["sample"]["t"] for entry in found[:-1]]
    assert times == list(range(len(times)))
    assert len(times) < 500
    assert found[-1] == {"acted": {"t": 500}}


def test_even_news_are_bounded(ends: tuple[Peer, socket.socket]) -> None:
    peer, _ = ends
    for t in range(1000):
        peer.send({"guard": {"t": t, "text": LONG}})
    assert PENDING_AT_MOST_BYTES < len(peer._pending) < NEWS_AT_MOST_BYTES + 2 * len(LONG)


def test_a_replay_is_sent_behind_new_samples(ends: tuple[Peer, socket.socket]) -> None:
    peer, theirs = ends
    while not peer.has_pending:
        peer.send({"note": LONG})
    for t in range(3):
        peer.send_when_idle({"replayed": {"samples": [t]}})
    peer.send({"sample": {"t": 9}})
    tail = arrived(theirs, peer)[-4:]
    assert tail == [{"sample": {"t": 9}}, *({"replayed": {"samples": [t]}} for t in range(3))]


def test_orders_are_whole_lines_however_they_arrive(ends: tuple[Peer, socket.socket]) -> None:
    peer, theirs = ends
    theirs.send(b'{"do":"no')
    assert peer.receive() == []
    theirs.send(b'te"}\n\n[1]\nodd\n{"do":"end"}\n')
    assert peer.receive() == [{"do": "note"}, {}, {}, {"do": "end"}]


def test_the_end_and_an_endless_line_are_the_end(ends: tuple[Peer, socket.socket]) -> None:
    peer, theirs = ends
    received: list[Any] | None = []
    for _ in range(2 * LINE_AT_MOST_BYTES // 50_000):
        theirs.send(b"x" * 50_000)
        if (received := peer.receive()) is None:
            break
    assert received is None
    theirs.close()
    assert peer.receive() is None
