from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.compare.summary import summarise
from sparktui.compare.tables import render
from sparktui.compare.unmeasured import unmeasured_lines
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import request, wave

SERVING = {
    "vllm": "{launcher: vllm}",
    "external": '{launcher: external, url: "http://here:8000"}',
}
PROFILE = """
name: race
nodes: {{one: {{host: local}}}}
model: {{id: m}}
serving: {serving}
topologies: {{solo: {{kind: solo, nodes: [one]}}}}
"""


async def ended(path: Path, state: str, *, launcher: str = "vllm", waves: int = 0) -> int:
    """Store a campaign whose only topology did not come up, with what was measured of it before."""
    text = PROFILE.format(serving=SERVING[launcher])
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml=text, source="measured", host="here", version="1"
        )
        sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint="{}")
        cell = await writer.create_cell(sweep, 0, concurrency=1, pp=100, tg=11, depth=0, runs=2)
        for seq in range(waves):
            await writer.commit_wave(cell, seq, False, wave(request()))
        await writer.set_sweep_state(sweep, "failed", error="solo on one: vllm is not there")
        await writer.set_cell_state(cell, "skipped")
        await writer.set_campaign_state(campaign, state)
    return campaign


def said(path: Path, campaign: int) -> str:
    with Reader(path) as reader:
        return " ".join(render(summarise(reader, campaign)).split())


async def test_a_race_in_which_nothing_was_measured_says_why_and_what_is_next_instead_of_empty_tables(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    text = said(path, await ended(path, "failed"))
    assert text == (
        "Nothing was measured solo failed: solo on one: vllm is not there next: `sparktui check PROFILE` says what is "
        "missing, then `sparktui resume 1` tries again"
    )


async def test_of_a_server_that_is_up_already_there_is_nothing_to_check(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    text = said(path, await ended(path, "failed", launcher="external"))
    assert "sparktui check" not in text
    assert "next: `sparktui resume 1` tries again" in text


@pytest.mark.parametrize(("state", "waves"), [("running", 0), ("failed", 1)])
async def test_what_goes_on_or_has_one_wave_has_its_tables(tmp_path: Path, state: str, waves: int) -> None:
    path = tmp_path / "store.db"
    campaign = await ended(path, state, waves=waves)
    with Reader(path) as reader:
        assert unmeasured_lines(summarise(reader, campaign)) == []
    assert "Decode" in said(path, campaign)
