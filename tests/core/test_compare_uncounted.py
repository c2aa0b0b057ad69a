"""A server that counts no tokens: who is concerned, and what that makes of the figures, stands under every table."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sparktui.compare.document import to_json
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.summary import summarise
from sparktui.compare.tables import render
from sparktui.compare.uncounted import BY_CHUNKS, NO_PREFILL, PROMPTS
from sparktui.measure.record import RequestRecord
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from sparktui.ui.compare_rows import compare_rows
from tests.core.exports import exported
from tests.core.measured import failed, request, wave

COUNTED = request()
BARE = request(prompt_tokens=None, completion_tokens=None, token_source="chunks", first_tokens=None, event_tokens=b"")
BY_IDS = request(prompt_tokens=None, completion_tokens=None)
SAID = f"bare c1-c2, again c1-c2: {BY_CHUNKS}"
UNKNOWN = f"bare c1-c2, again c1-c2: {NO_PREFILL}"


async def stored(path: Path, requests: dict[str, RequestRecord]) -> int:
    """Store a campaign of two levels a topology, each of two waves of one such request."""
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="", source="measured", host="here", version="0.1.0"
        )
        for seq, (topology, one) in enumerate(requests.items()):
            sweep = await writer.create_sweep(campaign, seq, topology, fingerprint=Fingerprint(model="m").to_json())
            for index, level in enumerate((1, 2)):
                cell = await writer.create_cell(sweep, index, concurrency=level, pp=100, tg=11, depth=0, runs=2)
                for number in range(2):
                    await writer.commit_wave(cell, number, False, wave(one))
                await writer.set_cell_state(cell, "done")
            await writer.set_sweep_state(sweep, "done")
        await writer.set_campaign_state(campaign, "done", exit_code=0)
    return campaign


def notes(path: Path, campaign: int, calculator: str = "usage") -> tuple[str, ...]:
    with Reader(path) as reader:
        return summarise(reader, campaign, calculator=calculator).notes


def about_counts(found: Iterable[str]) -> list[str]:
    return [note for note in found if note.endswith((BY_CHUNKS, NO_PREFILL, PROMPTS))]


async def test_whoever_was_not_counted_is_named_once_with_what_that_means(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stored(path, {"bare": BARE, "counted": COUNTED, "again": BARE})
    assert about_counts(notes(path, campaign)) == [SAID, UNKNOWN]


async def test_a_prefill_that_is_missing_beside_others_says_why(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stored(path, {"bare": BARE, "counted": COUNTED})
    why = "c1, c2 bare cannot win: its prefill is not known: the server did not count its prompts"
    assert why in notes(path, campaign)


async def test_show_and_every_export_with_notes_say_it(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stored(path, {"bare": BARE, "again": BARE})
    with Reader(path) as reader:
        comparison = summarise(reader, campaign)
    assert to_json(comparison)["notes"] == [*comparison.notes]
    table = compare_rows(comparison)
    assert table is not None
    assert ("note", SAID) in table.facts
    texts = [render(comparison, 400), *(exported(path, campaign, form).decode() for form in ("markdown", "html"))]
    texts.append(exported(path, campaign, "csv-wide").decode())
    for text in texts:
        assert BY_CHUNKS.partition("`usage`")[2] in " ".join(text.split()).replace("\\", "")
        assert NO_PREFILL in " ".join(text.split()).replace("\\", "").replace("&#x27;", "'")


async def test_tokens_that_were_counted_by_their_ids_are_not_called_chunks(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stored(path, {"ids": BY_IDS})
    assert about_counts(notes(path, campaign)) == [f"ids c1-c2: {NO_PREFILL}"]


async def test_by_a_calculator_that_always_counts_chunks_only_the_prompts_are_named(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stored(path, {"counted": COUNTED, "bare": BARE})
    assert about_counts(notes(path, campaign, "benchy-0.3.5")) == [f"bare c1-c2: {PROMPTS}"]


async def test_a_server_that_counts_or_never_answered_is_not_named(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stored(path, {"counted": COUNTED, "dead": failed(0)})
    assert about_counts(notes(path, campaign)) == []
