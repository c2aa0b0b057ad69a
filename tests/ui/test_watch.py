"""The screen of `sparktui watch`, before real servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.content import Content

from sparktui.ui.watch import WatchApp
from sparktui.ui.widgets.long_text import LongText
from sparktui.ui.widgets.watched import AllEngines, WatchedEngine, WatchHead, WatchPanel
from sparktui.watching.fetch import Endpoint
from sparktui.watching.watcher import Watcher
from tests.scripted_server import scripted_server
from tests.watching.pages import answering, sglang

GONE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SPARKTUI_HOME", str(tmp_path))


@asynccontextmanager
async def watching(*names: str) -> AsyncIterator[tuple[WatchApp, Callable[[int], None]]]:
    """Yield an app that watches servers of these names; what they have generated is set by the other value."""
    generated = [0]

    def page() -> str:
        return sglang(generated=generated[0], ttft=[("0.1", generated[0]), ("+Inf", generated[0])])

    async with scripted_server(answering(page)) as server:
        endpoints = [Endpoint(name, server.url if name != "gone" else GONE) for name in names]
        yield WatchApp(Watcher(endpoints), 20.0), lambda count: generated.__setitem__(0, count)


def said(app: WatchApp, kind: type[WatchPanel] = WatchPanel) -> str:
    return "\n".join(
        f"{panel.border_title or ''}\n{panel.visual}\n{panel.border_subtitle or ''}" for panel in app.query(kind)
    )


async def until(app: WatchApp, happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110 - the app's own doing
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_engines_stand_side_by_side_and_nothing_is_wider_than_the_screen(size: tuple[int, int]) -> None:
    async with watching("gf1", "gf2", "gone") as (app, generate), app.run_test(size=size):
        await until(app, lambda: "2 of 3 answering" in said(app, WatchHead))
        generate(500)
        await until(app, lambda: "p50 50.0" in said(app, WatchedEngine))
        cards = list(app.query(WatchedEngine))
        assert [card.region.right <= size[0] for card in cards] == [True] * 3
        columns = len({card.region.x for card in cards})
        assert columns == {80: 1, 120: 2, 200: 3}[size[0]]
        assert "running 10" in said(app, AllEngines)
        assert "KV 28.0 %" in str(cards[0].visual)
        assert "gone · down:" in str(cards[2].border_title)
        assert cards[2].has_class("-stale")
        assert "decode       - tok/s" in str(cards[2].visual)


async def test_a_single_engine_has_no_sum_beside_it_and_one_that_began_anew_says_so() -> None:
    async with watching("gf1") as (app, generate), app.run_test(size=(80, 24)):
        generate(500)
        await until(app, lambda: "1 of 1 answering" in said(app, WatchHead))
        assert not app.query(AllEngines)
        generate(5)
        await until(app, lambda: "began anew: 1" in said(app, WatchedEngine))


async def test_every_figure_is_explained_and_the_keys_work() -> None:
    async with watching("gf1") as (app, _), app.run_test(size=(120, 40)) as pilot:
        await pilot.press("question_mark")
        text = app.screen.query_one(LongText).text
        assert "TTFT, ITL" in text
        await pilot.press("escape")
        before = app.theme
        await pilot.press("t")
        assert app.theme != before
        await pilot.press("q")
    assert app.return_code == 0


async def test_a_name_that_would_drive_the_terminal_is_shown_as_text() -> None:
    async with watching("\x1b[31m[bold]x") as (app, _), app.run_test(size=(80, 24)):
        await until(app, lambda: "answering" in said(app, WatchHead))
        title = Content.from_markup(app.query_one(WatchedEngine).border_title or "").plain
        assert "\x1b" not in title
        assert "[bold]x" in title
