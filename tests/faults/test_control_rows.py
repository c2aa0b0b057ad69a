"""Requests that are none among those to a runner: told, done with, and in the way of no other."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.runner.control import obey
from sparktui.runner.interrupt import Interrupt
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.faults import tried

KNOWN = ("stop", "end-topology")
TEXTS = st.text().filter(lambda text: text not in KNOWN)
ODD = st.one_of(
    TEXTS.map(lambda text: text.encode()),
    st.binary(max_size=30).filter(lambda raw: raw.decode(errors="replace") not in KNOWN),
    st.sampled_from([b"stop ", b"STOP", b"stop\0", b"x" * 100_000, b"\x1b[2J", b"\xff\xfe", "ſtop".encode()]),
)


@settings(max_examples=40)
@given(commands=st.lists(ODD, max_size=4))
async def test_commands_that_are_none_are_told_and_a_stop_behind_them_is_heard(
    tmp_path_factory: pytest.TempPathFactory, commands: list[bytes]
) -> None:
    store = tmp_path_factory.mktemp("control") / "sparktui.db"
    with tried.bad_input():
        async with await Writer.open(store) as writer, asyncio.timeout(60):
            campaign = await writer.create_campaign(name="x", profile_yaml="", source="measured", host="h", version="0")
            ask(store, campaign, [*commands, b"stop"])
            interrupt = Interrupt()
            obeying = asyncio.create_task(obey(writer, campaign, interrupt, Journal(writer, campaign)))
            while interrupt.reason is None and not obeying.done():  # noqa: ASYNC110 - it is told to nobody
                await asyncio.sleep(0.01)
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)
        with Reader(store) as reader:
            events = reader.events_since(campaign)
    assert interrupt.reason == "stop"
    assert [event.kind for event in events] == ["unknown-command"] * len(commands)
    assert all(event.text.isprintable() and len(event.text) < 1000 for event in events)


def ask(store: Path, campaign: int, commands: list[bytes]) -> None:
    """Put requests into the store as they are, text or not."""
    with closing(sqlite3.connect(store)) as db, db:
        rows = [(0.0, campaign, command) for command in commands]
        db.executemany("INSERT INTO control (t, campaign, command) VALUES (?, ?, CAST(? AS TEXT))", rows)
