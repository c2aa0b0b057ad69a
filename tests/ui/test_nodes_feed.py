"""What the Nodes screen reads: the same as the store holds, and no more of it than is new."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sparktui.nodes.history import clock
from sparktui.nodes.sample import NodeSample
from sparktui.profile.loader import parse_profile
from sparktui.store.node_history import NodeHistory
from sparktui.store.reader import Reader
from sparktui.ui.nodes_feed import NodesFeed
from sparktui.ui.nodes_view import NodesRequest, NodesView
from tests.core.flown import COLLAPSE, LAST, LOADING, OVER, PROFILE, READY, T0, Store, samples_of, store_collapse
from tests.core.node_samples import GIB

FIRST = samples_of("gf1", T0 - 5, LOADING)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


@pytest.fixture
def feed(path: Path, request: pytest.FixtureRequest) -> Iterator[NodesFeed]:
    store_collapse(path, samples=getattr(request, "param", None))
    with Reader(path) as reader:
        yield NodesFeed(reader, 1, parse_profile(PROFILE, ""))


def add(path: Path, samples: list[NodeSample]) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        Store(db).samples(1, samples)


def looked(
    feed: NodesFeed, columns: int = 400, width_s: int | None = 1, now: float = LAST + 20, **more: float
) -> NodesView:
    view = feed.view(NodesRequest(columns, width_s, **more), now)
    assert view is not None
    return view


def least(view: NodesView, node: int, t: float) -> float | None:
    column = view.strips[node].columns[view.span.column(t)]
    return None if column is None or column.left_bytes is None else round(column.left_bytes / GIB, 2)


def test_a_column_holds_the_least_of_its_time_with_phase_and_floors(feed: NodesFeed) -> None:
    view = looked(feed)
    gf1 = view.strips[0]
    crossed = gf1.columns[view.span.column(LAST)]
    assert crossed is not None
    assert (crossed.left_bytes, crossed.phase, crossed.stop_bytes) == (int(6.27 * GIB), "loading", 16 * GIB)
    assert crossed.under == "stop"
    assert least(view, 1, OVER - 1) == 36.0


def test_closest_call_and_last_words_are_those_of_the_whole_campaign(feed: NodesFeed) -> None:
    gf1, gf2 = looked(feed, columns=10).strips
    assert str(gf1.closest) == f"gf1 never had less than 6.3 GiB left (cluster-tp2, {clock(LAST)[:5]})"
    assert gf2.closest is not None
    assert (str(gf2.closest.run), gf2.closest.t) == ("solo c1", READY)
    (words,) = looked(feed).words
    assert words.warned_before_s == pytest.approx(4.1)


def test_the_moment_looked_at_shows_the_sample_that_its_column_shows(feed: NodesFeed) -> None:
    view = looked(feed, width_s=60, columns=20, at=COLLAPSE)
    gf1, gf2 = view.strips
    assert gf1.at == LAST - 0.5
    assert ("left", "7.4") in {(reading.name, reading.value) for reading in gf1.readings}
    assert gf2.at is not None
    nothing = looked(feed, at=T0 - 3600)
    assert (nothing.strips[0].at, nothing.strips[0].readings) == (None, ())


def test_unchanged_it_is_the_very_same_value(feed: NodesFeed) -> None:
    assert looked(feed) is looked(feed)
    assert looked(feed, width_s=60) is looked(feed, width_s=60, now=LAST + 25)


def test_the_same_question_is_read_once_a_second_and_another_one_at_once(feed: NodesFeed, path: Path) -> None:
    before = looked(feed)
    add(path, samples_of("gf2", LAST + 20.5, LAST + 21))
    assert looked(feed, now=LAST + 20.8) is before
    assert looked(feed, now=LAST + 21).sampled[1] == LAST + 21
    add(path, samples_of("gf2", LAST + 21.5, LAST + 21.5))
    assert looked(feed, columns=300, now=LAST + 21).sampled[1] == LAST + 21.5


@pytest.mark.parametrize("feed", [FIRST], indirect=True)
def test_new_samples_appear_and_late_ones_fill_their_gap(feed: NodesFeed, path: Path) -> None:
    assert least(looked(feed), 0, LOADING + 5) is None
    rest = samples_of("gf1", LOADING + 0.5, LAST)
    add(path, rest[-5:])
    view = looked(feed, now=LAST + 21)
    assert (least(view, 0, LAST), least(view, 0, LOADING + 5)) == (6.27, None)
    add(path, rest[:-5])
    view = looked(feed, now=LAST + 22)
    assert least(view, 0, LOADING + 5) == pytest.approx(101.5, abs=1.6)
    assert view.strips == looked(NodesFeed(feed._reader, 1, feed._profile), now=LAST + 22).strips


@pytest.mark.parametrize("feed", [FIRST], indirect=True)
def test_what_was_read_is_not_read_again(feed: NodesFeed, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked(feed, now=LOADING)
    asked: list[int] = []
    columns = NodeHistory.columns

    def counting(self: NodeHistory, node: str, start: float, width_s: float, count: int) -> object:
        asked.append(count)
        return columns(self, node, start, width_s, count)

    monkeypatch.setattr(NodeHistory, "columns", counting)
    looked(feed, now=LOADING)
    assert asked == []
    add(path, samples_of("gf1", LOADING + 1, LOADING + 1.5))
    looked(feed, now=LOADING + 2)
    assert asked == [2]


def test_it_keeps_no_more_than_is_in_sight(feed: NodesFeed) -> None:
    for minute in range(50):
        looked(feed, columns=30, width_s=2, now=LAST, end=LAST - minute)
    looked(feed, columns=30, width_s=5)
    assert {len(node.columns) for node in feed._nodes.values()} == {30}


def test_the_axis_only_rises_while_the_campaign_runs_and_is_all_memory_when_it_is_over(
    feed: NodesFeed, path: Path
) -> None:
    high = looked(feed, end=LOADING, width_s=5, columns=20).strips[0].top_bytes
    assert high == int(121.7 * GIB)
    assert looked(feed, width_s=5, columns=3).strips[0].top_bytes == high
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE campaign SET state = 'guard'")
    over = looked(feed, width_s=None)
    assert over.strips[0].top_bytes == int(121.7 * GIB)
    assert over.span.start <= T0 - 5
    assert not over.running


def test_without_a_profile_there_are_no_floors(path: Path) -> None:
    store_collapse(path)
    with Reader(path) as reader:
        view = looked(NodesFeed(reader, 1, None))
    assert {column.under for strip in view.strips for column in strip.columns if column} == {""}


@pytest.mark.parametrize("feed", [[]], indirect=True)
def test_without_a_sample_there_is_nothing_to_show(feed: NodesFeed) -> None:
    assert feed.view(NodesRequest(80), LAST) is None
