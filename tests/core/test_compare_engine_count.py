from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.summary import summarise
from sparktui.compare.tables import render
from sparktui.measure.record import WaveRecord
from sparktui.store.reader import Reader
from sparktui.store.rows import CountedRow
from sparktui.store.writer import Writer
from tests.core.measured import failed, request, wave


async def stored(
    path: Path,
    waves: list[WaveRecord],
    *,
    shape: str = "waves",
    generated: int | None = None,
    prompt: int | None = None,
) -> Reader:
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="name: race\n", source="measured", host="here", version="0.1.0"
        )
        sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint=Fingerprint(model="m").to_json())
        cell = await writer.create_cell(sweep, 0, concurrency=2, pp=100, tg=11, depth=0, runs=2, shape=shape)
        await writer.set_cell_state(cell, "measuring")
        for seq, record in enumerate(waves):
            await writer.commit_wave(cell, seq, seq == 0, record)
        await writer.set_cell_state(cell, "done", server_tokens=generated, server_prompt_tokens=prompt)
    return Reader(path)


PAIR = [wave(request(0), request(1))] * 3


async def test_warm_up_counts_too_since_the_engine_counted_it(tmp_path: Path) -> None:
    with await stored(tmp_path / "s.db", PAIR) as reader:
        assert reader.counted(1) == CountedRow(1, prompt_tokens=600, completion_tokens=66, failed=0)
        assert reader.counted(2) is None


@pytest.mark.parametrize(
    ("generated", "prompt", "said"),
    [
        (66, 600, ()),
        (68, 600, ()),
        (None, None, ()),
        (
            100,
            600,
            ("solo c2: the engine counts 100 generated tokens, this client 66 (-34 %)",),
        ),
        (
            66,
            500,
            ("solo c2: the engine counts 500 prompt tokens, this client 600 (+20 %)",),
        ),
    ],
)
async def test_a_disagreement_over_five_per_cent_is_noted_with_the_tables(
    tmp_path: Path, generated: int | None, prompt: int | None, said: tuple[str, ...]
) -> None:
    with await stored(tmp_path / "s.db", PAIR, generated=generated, prompt=prompt) as reader:
        comparison = summarise(reader, 1)
    assert comparison.notes == said
    assert all(" ".join(note.split()) in " ".join(render(comparison).split()) for note in said)


async def test_after_failures_nothing_is_said_of_what_they_left(tmp_path: Path) -> None:
    waves = [*PAIR[:2], wave(request(0), failed(1))]
    with await stored(tmp_path / "s.db", waves, generated=200) as reader:
        assert not any("the engine counts" in note for note in summarise(reader, 1).notes)


async def test_the_sustained_rate_of_a_pool_is_the_same_whether_or_not_events_were_asked_for(tmp_path: Path) -> None:
    turns = [
        msgspec.structs.replace(request(slot, sent_us=seq * 200_000, ended_us=200_000), seq=seq)
        for slot in range(2)
        for seq in range(5)
    ]
    with await stored(tmp_path / "s.db", [wave(*turns)] * 3, shape="pool") as reader:
        bare = [row.record for row in reader.waves(1)]
        full = [row.record for row in reader.waves(1, events=True)]
        text = render(summarise(reader, 1))
    assert bare == full
    assert "(pp100 tg11, pool, usage by token_ids)" in text
    assert "110.0" in text
