"""Campaigns to export, and what comes out."""

from __future__ import annotations

from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.exporting.files import chunks
from sparktui.exporting.names import Format
from sparktui.importing.formats import read
from sparktui.importing.save import save
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import failed, stream_at, wave

RATES = {"solo": {1: (10.0, 11.0, 12.7), 8: (80.0, 82.0)}, "tp2": {1: (15.0, 15.5, 15.1), 8: (70.0, 71.0)}}
MODEL = '"><img src=http://evil.invalid/x onerror=alert(1)>]]></style><script>alert(2)</script>'
TOPOLOGY = "<b>*solo*</b>|`x`"
TROUBLE = "\x1b[31m\u202ered [click](http://evil.invalid) <svg onload=alert(3)> | a\nnew line"


def exported(
    path: Path, campaign: int, form: Format, *, calculator: str | None = None, topology: str | None = None
) -> bytes:
    """Return a campaign's export."""
    with Reader(path) as reader:
        return b"".join(chunks(reader, campaign, form, calculator=calculator, topology=topology))


def imported_again(path: Path, campaign: int, form: Format, *, topology: str | None = None) -> int:
    """Export a campaign, import what came out, and return the copy's number."""
    return save(path, read(exported(path, campaign, form, topology=topology), "again.x", topology=topology))


async def hostile_campaign(path: Path, source: str = "measured") -> int:
    """Store a campaign whose model, topology, node, error and log try to be markup, formulas and escape sequences."""
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name=f"=1+1 {TROUBLE}",
            profile_yaml=f"name: {TROUBLE}\n```\n</pre>",
            source=source,
            host="h",
            version="0.1.0",
        )
        await writer.add_node(campaign, "gf1", {"gpu": MODEL, "free": None, "nested": {"a": TROUBLE}})
        for seq, (topology, rates) in enumerate({TOPOLOGY: (10.0, 11.0), "tp2": (15.0, 16.0)}.items()):
            fingerprint = Fingerprint(model=MODEL, engine={"version": TROUBLE}).to_json()
            sweep = await writer.create_sweep(campaign, seq, topology, fingerprint=fingerprint)
            cell = await writer.create_cell(sweep, 0, concurrency=1, pp=100, tg=11, depth=0, runs=2)
            for number, rate in enumerate(rates):
                await writer.commit_wave(cell, number, False, wave(stream_at(rate), failed(1, TROUBLE)))
            await writer.set_cell_state(cell, "done", taint=TROUBLE if seq == 0 else None)
            await writer.set_sweep_state(sweep, "failed", error=TROUBLE)
        await writer.set_campaign_state(campaign, "partial", exit_code=1, detail=TROUBLE)
    return campaign
