from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from sparktui.compare.fingerprint import Fingerprint
from sparktui.measure.live import Point
from sparktui.measure.server_figures import ServerFigures
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow
from sparktui.store.writer import Writer
from sparktui.ui.engine_feed import EngineFeed
from sparktui.ui.widgets.engines import Engines
from sparktui.ui.widgets.progress import Progress
from tests.ui.viewing import Viewer, change, recorded, shown, text

Said = list[tuple[float, str, ServerFigures]]


async def feed(path: Path, said: Said) -> tuple[Reader, EngineFeed]:
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="name: race\n", source="measured", host="here", version="0.1.0"
        )
        sweep = await writer.create_sweep(campaign, 0, "shuffle", fingerprint=Fingerprint(model="m").to_json())
        for t, backend, figures in said:
            await writer.add_server_sample(sweep, backend, figures, t)
    reader = Reader(path)
    return reader, EngineFeed(reader, sweep)


def cell(started: float, number: int = 1) -> CellRow:
    return CellRow(
        number, 1, 0, concurrency=8, pp=100, tg=11, depth=0, shape="waves", runs=3, state="measuring", taint=None,
        started=started, ended=None, server_tokens=None, server_prompt_tokens=None,
    )  # fmt: skip


def arrived(rate: float, seconds: int = 20) -> deque[Point]:
    return deque((i / 4, round(rate * i / 4)) for i in range(seconds * 4 + 1))


def two_engines(each_tps: float, seconds: int = 20, first: float = 5_000.0) -> Said:
    """Two engines, looked at one after the other once a second; one has long been up before the other is heard of."""
    return [
        (t + offset, name, ServerFigures(generation_tokens=first * (name == "gf1") + each_tps * t))
        for t in range(seconds + 1)
        for offset, name in ((0.0, "gf1"), (0.01, "gf2"))
    ]


@pytest.mark.parametrize(("arriving", "disagrees"), [(200.0, False), (196.0, False), (150.0, True)])
async def test_the_engines_counters_together_are_held_against_what_arrives(
    tmp_path: Path, arriving: float, disagrees: bool
) -> None:
    reader, engines = await feed(tmp_path / "s.db", two_engines(100.0))
    with reader:
        engines.read(cell(0.0))
        found = engines.agreement(arrived(arriving))
    assert found is not None
    assert found.disagrees is disagrees


@pytest.mark.parametrize("unheard", [[], [("gf1", 5)], [("gf2", 5)], [("gf2", 0), ("gf1", 12)]])
async def test_two_engines_that_get_faster_are_summed_over_one_look_and_never_over_two(
    tmp_path: Path, unheard: list[tuple[str, int]]
) -> None:
    looks = [(t, offset, name) for t in range(21) for offset, name in ((0.0, "gf1"), (0.01, "gf2"))]
    said = [
        (t + offset, name, ServerFigures(generation_tokens=float(t**4)))
        for t, offset, name in looks
        if (name, t) not in unheard
    ]
    reader, engines = await feed(tmp_path / "s.db", said)
    with reader:
        engines.read(cell(0.0))
        found = engines.agreement(deque((i / 4, round(2 * (i / 4) ** 4)) for i in range(81)))
    assert found is not None
    assert abs(found.off) < 0.01


async def test_an_engine_without_counters_gives_no_verdict(tmp_path: Path) -> None:
    said = [(float(t), "gf1", ServerFigures(running=1.0)) for t in range(20)]
    reader, engines = await feed(tmp_path / "s.db", said)
    with reader:
        engines.read(cell(0.0))
        assert engines.agreement(arrived(100.0)) is None
        assert engines.engines(20.0)[0].running == 1.0


async def test_the_prefix_share_is_of_the_cell_being_measured(tmp_path: Path) -> None:
    said = [
        (0.0, "gf1", ServerFigures(prefix_queries=1_000.0, prefix_hits=1_000.0)),
        (11.0, "gf1", ServerFigures(prefix_queries=2_000.0, prefix_hits=1_000.0)),
        (21.0, "gf1", ServerFigures(prefix_queries=3_000.0, prefix_hits=1_250.0)),
    ]
    reader, engines = await feed(tmp_path / "s.db", said[:2])
    with reader:
        engines.read(cell(10.0))
        assert engines.engines(11.0)[0].prefix_hit_share == 0.0
        async with await Writer.open(tmp_path / "s.db") as writer:
            await writer.add_server_sample(1, "gf1", said[2][2], said[2][0])
        engines.read(cell(20.0, number=2))
        assert engines.engines(21.0)[0].prefix_hit_share == 0.25


async def test_live_says_so_where_the_engine_counts_other_tokens_than_arrive(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Engines))
    assert "this client" in said
    change(store, "UPDATE server_sample SET generation_tokens = 200000 + (generation_tokens - 200000) * 1.2")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Engines))
    assert "by the engine (-17 %)" in said


async def test_live_calls_a_pool_run_what_it_is(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE cell SET shape = 'pool'")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        assert "c16 · pool run 3 of 5" in text((await shown(pilot)).panel(Progress))
