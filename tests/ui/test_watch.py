"""The screen of `sparktui watch`, before real servers."""

from __future__ import annotations

import asyncio
import csv
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

import pytest
from textual.content import Content

from sparktui.serving.embedded import METRIC
from sparktui.ui.watch import WatchApp
from sparktui.ui.widgets.long_text import LongText
from sparktui.ui.widgets.watched import AllEngines, WatchedEngine, WatchHead, WatchPanel, _latency
from sparktui.watching.fetch import Endpoint
from sparktui.watching.histogram import Histogram
from sparktui.watching.lines import document, plain_lines
from sparktui.watching.rates import Figures
from sparktui.watching.watcher import Watcher
from tests.scripted_server import scripted_server
from tests.ui.viewing import finished
from tests.watching.pages import answering, sglang

GONE = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SPARKTUI_HOME", str(tmp_path))


@asynccontextmanager
async def watching(*names: str, folder: Path | None = None) -> AsyncIterator[tuple[WatchApp, Callable[[int], None]]]:
    """Yield an app that watches servers of these names; what they have generated is set by the other value."""
    generated = [0]

    def page() -> str:
        return sglang(generated=generated[0], ttft=[("0.1", generated[0]), ("+Inf", generated[0])])

    async with scripted_server(answering(page)) as server:
        endpoints = [Endpoint(name, server.url if name != "gone" else GONE) for name in names]
        yield WatchApp(Watcher(endpoints), 20.0, folder=folder), lambda count: generated.__setitem__(0, count)


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
        assert str(cards[2].border_title) == "gone · down"
        assert cards[2].has_class("-stale")
        assert "is it up, and is that its address and port?" in " ".join(str(cards[2].visual).split())


@pytest.mark.parametrize(("size", "rows"), [((80, 24), 5), ((120, 40), 6)])
async def test_a_card_has_room_for_all_its_lines_before_it_has_any(size: tuple[int, int], rows: int) -> None:
    async with watching("gf1", "gf2") as (app, _):
        app._hz = 0.001  # nothing is drawn before the first layout
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            assert [card.outer_size.height for card in app.query(WatchedEngine)] == [rows, rows]


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


async def test_what_the_embedded_engine_says_is_marked_and_what_another_says_is_not(tmp_path: Path) -> None:
    pages = (sglang(), f"{sglang()}{METRIC} 1.0\n")
    async with (
        scripted_server(answering(lambda: pages[0])) as real,
        scripted_server(answering(lambda: pages[1])) as embedded,
    ):
        watcher = Watcher([Endpoint("real", real.url), Endpoint("played", embedded.url)])
        app = WatchApp(watcher, 20.0, folder=tmp_path)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(app, lambda: "2 of 2 answering" in said(app, WatchHead))
            await until(app, lambda: "PARTLY SIMULATED" in said(app, WatchHead))
            titles = [str(card.border_title) for card in app.query(WatchedEngine)]
            assert ["SIMULATED" in title for title in titles] == [False, True]
            assert str(app.query_one(AllEngines).border_title) == "all · PARTLY SIMULATED"
            await pilot.press("e")
            await finished(pilot, "export")
            real_line, played_line, all_line = plain_lines(watcher.picture())
            told = document(watcher.picture())
    assert "SIMULATED" not in real_line
    assert "  SIMULATED · decode" in played_line
    assert "  PARTLY SIMULATED · decode" in all_line
    assert [row["simulated"] for row in (*told["engines"], told["all"])] == [False, True, True]  # type: ignore[misc]
    (written,) = tmp_path.glob("sparktui-watch-*.csv")
    content = written.read_text()
    assert "# warning,SIMULATED: played\n" in content
    assert "engine,real,no," in content
    assert "engine,played,yes," in content


async def test_e_and_s_write_what_is_shown(tmp_path: Path) -> None:
    async with watching("gf1", "gf2", folder=tmp_path) as (app, _), app.run_test(size=(120, 40)) as pilot:
        await until(app, lambda: "2 of 2 answering" in said(app, WatchHead))
        await pilot.press("e", "s")
        await finished(pilot, "export")
    (table,), (picture,) = tmp_path.glob("sparktui-watch-*.csv"), tmp_path.glob("sparktui-watch-*.svg")
    assert "answering" in picture.read_text()
    with table.open(newline="") as file:
        head, *rows = [row for row in csv.reader(file) if not row[0].startswith("#")]
    assert [(row[0], row[1]) for row in rows] == [("engine", "gf1"), ("engine", "gf2"), ("engines", "all")]
    assert [row[head.index("running")] for row in rows] == ["5.0", "5.0", "10.0"]
    assert rows[0][head.index("up")] == "yes"


@pytest.mark.parametrize("width", [56, 76])
def test_no_latency_stands_without_its_unit(width: int) -> None:
    slow = Histogram((0.1, 20.0, inf), (0.0, 400.0, 400.0))
    said = str(_latency(Figures(ttft_s=slow, itl_s=slow), width))
    assert said.count(" ms") == 2
    assert len(said) <= width
