from __future__ import annotations

from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.nodes.stretch import Stretch
from sparktui.runner.earlier import finish
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import stream_at, wave
from tests.runner.campaigns import Owner
from tests.runner.locked_server import locked_server


def test_a_cell_that_cannot_win_says_so_when_it_ends_and_wherever_it_is_shown(owner: Owner) -> None:
    owner.env["KEY"] = "sk-1"
    with locked_server("sk-1") as server:
        load = ("--concurrency", "2", "--pp", "64", "--tg", "4", "--runs", "1", "--model", "m", "--api-key-env", "KEY")
        done = owner.type("bench", server.url, *load, "--plain")
    why = "2 prompts of 10 to 10 tokens instead of 64"
    assert done.returncode == 0, done.stderr
    ((taint,),) = owner.rows("SELECT taint FROM cell")
    assert why in taint  # a busy machine may add a reason of its own
    assert owner.rows("SELECT level, text FROM event WHERE kind = 'tainted'") == [
        ("warning", f"server c2 cannot win: {taint}")
    ]
    for text in (done.stdout, owner.type("show", "last").stdout):
        assert f"cannot win: {taint}" in " ".join(text.split())


async def test_a_cell_whose_break_came_after_its_last_wave_ends_by_what_was_stored_with_its_waves(
    tmp_path: Path,
) -> None:
    async with await Writer.open(tmp_path / "sparktui.db") as writer:
        campaign = await writer.create_campaign(name="x", profile_yaml="", source="measured", host="h", version="1")
        sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint="{}")
        cell = await writer.create_cell(sweep, 0, concurrency=2, pp=100, tg=11, depth=0, runs=2)
        about = {"after": 0, "until": 0, "newest": {}, "nodes": ("gf1",), "engines": (("gf1",),)}
        first = Stretch(began=1.0, **about, prefix=(0, 100))  # type: ignore[arg-type]
        await writer.commit_wave(cell, 0, False, wave(stream_at(100.0)), first)
        second = Stretch(began=2.0, **about, mixed="another engine", prefix=(60, 100))  # type: ignore[arg-type]
        await writer.commit_wave(cell, 1, False, wave(stream_at(100.0)), second)
        with Reader(writer.path) as reader:
            (row,) = reader.cells(sweep)
        await finish(Journal(writer, campaign), "solo", row, Fingerprint(), None)
        with Reader(writer.path) as reader:
            (row,) = reader.cells(sweep)
    assert row.taint is not None
    assert row.taint.startswith("another engine; ")
    assert "30% of the prompt tokens were in the engine's prefix cache" in row.taint
    assert row.health_by_node is not None
    assert list(row.health_by_node) == ["gf1"]
