"""What is left of a campaign, whether an engine is the same again, and what goes back to waiting."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import UsageError
from sparktui.load.prompts import PromptSet
from sparktui.profile.difference import differences
from sparktui.profile.loader import dump_profile, parse_profile
from sparktui.profile.model import Workload
from sparktui.runner.left import is_finished, is_open, what_is_left
from sparktui.runner.same_engine import READINGS, changes
from sparktui.store.control import request_control
from sparktui.store.reader import Reader
from sparktui.store.reopening import reopen
from sparktui.store.rows import CampaignRow, CellRow, SweepRow
from sparktui.store.writer import Writer
from tests.core.good_profile import GOOD
from tests.core.measured import store_campaign
from tests.core.test_load_prompts import LetterCounter, WordCounter

RATES = {"solo": {1: (10.0, 11.0), 2: (12.0, 13.0)}, "shuffle": {1: (9.0, 9.5)}}
ENGINE = {"version": "0.19.1", "attention_backend": "TRITON_ATTN", "kv_cache_tokens": "1000", "kv_cache_gib": "51.0"}


def cell(state: str, ended_by: str | None = None) -> CellRow:
    return CellRow(1, 1, 0, 1, 64, 8, 0, "waves", 3, state, None, None, None, None, None, ended_by)


def campaign(state: str) -> CampaignRow:
    return CampaignRow(1, "race", "", "measured", 0.0, None, "here", "0.1.0", state, None, None)


def sweep(number: int, topology: str) -> SweepRow:
    return SweepRow(number, 1, 0, topology, "{}", "[]", "stopped", None, None, None, None, None)


def test_a_cell_is_open_until_it_was_measured_to_its_end_or_left_out_on_purpose() -> None:
    assert [is_open(cell(state)) for state in ("waiting", "measuring", "failed", "skipped", "done")] == [True] * 4 + [
        False
    ]
    assert not is_open(cell("skipped", "not needed"))
    assert not is_open(cell("failed", "ended early"))


def test_what_is_left_names_the_topologies_and_counts_their_cells() -> None:
    sweeps = [sweep(1, "solo"), sweep(2, "cluster"), sweep(3, "shuffle")]
    cells = {1: [cell("done"), cell("done")], 2: [cell("done"), cell("failed")], 3: [cell("skipped"), cell("skipped")]}
    left = what_is_left(sweeps, cells)
    assert [row.topology for row in left.sweeps] == ["cluster", "shuffle"]
    assert str(left) == "3 of 6 cells left, of cluster and shuffle"


@pytest.mark.parametrize(
    ("state", "open_cells", "of", "until", "finished"),
    [
        ("done", 0, 2, None, True),
        ("stopped", 0, 2, None, False),  # it has yet to be called done
        ("guard", 0, 2, None, True),
        ("stopped", 1, 2, None, False),
        ("guard", 0, 1, None, False),  # not all of its cells were stored
        ("guard", 0, 2, "crossover", False),  # new levels may have been planned
        ("partial", 0, 2, "crossover", True),
        ("running", 0, 2, None, False),  # its runner ended before it said how it went
        ("failed", 0, 0, None, False),
    ],
)
def test_a_campaign_is_finished_only_if_nothing_can_be_missing(
    state: str, open_cells: int, of: int, until: str | None, finished: bool
) -> None:
    cells = [cell("failed")] * open_cells + [cell("done")] * (of - open_cells)
    left = what_is_left([sweep(1, "solo")], {1: cells})
    load = Workload(concurrency=(1, 2), until=until)  # type: ignore[arg-type]
    assert is_finished(campaign(state), left, 1, load) is finished


def test_an_engine_is_the_same_but_for_what_is_measured_at_each_launch() -> None:
    first = Fingerprint(model="m", pp=1024, engine=ENGINE)
    assert changes(first, Fingerprint(model="m", pp=1024, engine=ENGINE | dict.fromkeys(READINGS, "7"))) == ()
    assert changes(first, Fingerprint(model="m", engine={})) == ()  # not told is not different
    now = Fingerprint(model="m", pp=1024, engine=ENGINE | {"version": "0.20.0"})
    assert changes(first, now) == ("version: 0.19.1 at first, 0.20.0 now",)


def test_options_that_the_server_refuses_now_are_a_difference() -> None:
    asked = Fingerprint(sampling={"exact_tg": True, "token_ids": True})
    assert changes(asked, Fingerprint(sampling={"exact_tg": True, "token_ids": False})) == (
        "sampling.token_ids: true at first, false now",
    )


def test_a_profile_is_no_other_after_it_was_stored() -> None:
    profile = parse_profile(GOOD, "good")
    assert differences(profile, parse_profile(dump_profile(profile), "stored")) == ()


def test_each_key_that_differs_between_profiles_is_named() -> None:
    other = GOOD.replace("port: 8001", "port: 8002").replace("  solo: {kind: solo, nodes: [gf2]}\n", "")
    found = differences(parse_profile(GOOD, "good"), parse_profile(other, "other"))
    assert "serving.port: 8001, now 8002" in found
    assert any(line.startswith("topologies.solo: {") and line.endswith("now not there") for line in found)
    assert len(found) == 2


@given(st.integers(0, 5), st.integers(1, 3), st.booleans())
async def test_the_prompts_of_a_wave_do_not_depend_on_the_waves_before_it(seq: int, again: int, letters: bool) -> None:
    def prompts() -> PromptSet:
        return PromptSet(7, LetterCounter() if letters else WordCounter(), 60)

    unbroken, resumed = prompts(), prompts()
    for earlier in range(seq):
        await unbroken.wave(3, earlier)
    expected = await unbroken.wave(3, seq)
    assert await resumed.wave(3, seq) == expected
    others = await resumed.wave(3, seq, again=again)
    assert len({prompt.user for prompt in (*expected, *others)}) == 6


async def broken_off(path: Path) -> tuple[int, list[int], list[int]]:
    """Store a campaign that was stopped in its second topology; return it, its sweeps and its cells."""
    number = await store_campaign(path, RATES)
    with Reader(path) as reader:
        sweeps = [row.id for row in reader.sweeps(number)]
        cells = [row.id for row in reader.cells(sweeps[1])]
    async with await Writer.open(path) as writer:
        await writer.set_cell_state(cells[0], "failed", taint="late")
        await writer.set_sweep_state(sweeps[1], "stopped", error="asked to stop", proof=["x"])
        await writer.set_campaign_state(number, "stopped", exit_code=130, detail="asked to stop")
    return number, sweeps, cells


async def test_a_reopened_campaign_waits_for_its_runner_and_forgets_how_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    number, sweeps, cells = await broken_off(path)
    request_control(path, number, "stop")
    with Reader(path) as reader:
        untouched = reader.cells(sweeps[0]), reader.waves(cells[0])
    event = reopen(path, number, sweeps[1:], cells, "goes on")
    with Reader(path) as reader:
        row = reader.campaign(number)
        assert (row.state, row.finished, row.exit_code, row.detail) == ("queued", None, None, None)
        first, second = reader.sweeps(number)
        assert (first.state, second.state, second.error, second.proof) == ("done", "waiting", None, None)
        assert [(c.state, c.taint, c.ended) for c in reader.cells(sweeps[1])] == [("waiting", None, None)]
        assert (reader.cells(sweeps[0]), reader.waves(cells[0])) == untouched
        (said,) = reader.events_since(number)
        assert (said.id, said.kind, said.text) == (event, "resumed", "goes on")
        assert all(control.done is not None for control in reader.controls(number))


async def test_what_cannot_be_reopened_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    await store_campaign(path, RATES)
    with pytest.raises(UsageError, match="no campaign 7"):
        reopen(path, 7, [1], [1], "goes on")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT DISTINCT state FROM sweep UNION SELECT DISTINCT state FROM cell").fetchall() == [
            ("done",)
        ]
