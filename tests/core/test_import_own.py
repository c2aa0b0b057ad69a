from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ImportFileError
from sparktui.exporting.files import chunks
from sparktui.exporting.names import Format
from sparktui.importing.formats import read
from sparktui.importing.imported import Provenance
from sparktui.importing.save import save
from sparktui.nodes.stamp import stamps_json
from sparktui.store.reader import Reader
from sparktui.store.rows import WaveRow
from sparktui.store.writer import Writer
from tests.core.imports import cells, figures
from tests.core.measured import failed, request, store_campaign, wave
from tests.core.node_samples import samples

RATES = {"solo": {1: (10.0, 11.0, 12.7), 8: (80.0,)}, "tp2": {1: (15.0, 15.5, 15.1), 8: (100.0,)}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def exported(path: Path, campaign: int, form: Format) -> bytes:
    with Reader(path) as reader:
        return b"".join(chunks(reader, campaign, form))


def again(path: Path, campaign: int, form: Format) -> int:
    return save(path, read(exported(path, campaign, form), f"race.{form}"))


def whole(path: Path, campaign: int) -> dict[str, Any]:
    """Return everything the JSON export holds but the numbers of rows, and where it comes from."""
    found: dict[str, Any] = json.loads(exported(path, campaign, "json"))
    for name in ("id", "source", "origin"):
        del found["campaign"][name]
    return {
        "campaign": found["campaign"],
        "nodes": found["nodes"],
        **{k: unnumbered(found[k]) for k in ("events", "sweeps")},
    }


def unnumbered(value: Any) -> Any:
    if isinstance(value, dict):
        rows = ("id", "campaign", "sweep", "cell")
        return {name: unnumbered(field) for name, field in value.items() if name not in rows}
    return [unnumbered(item) for item in value] if isinstance(value, list) else value


def waves(path: Path, campaign: int) -> list[WaveRow]:
    with Reader(path) as reader:
        sweeps = reader.sweeps(campaign)
        return [w for s in sweeps for c in reader.cells(s.id) for w in reader.waves(c.id, events=True)]


async def rich_campaign(path: Path) -> int:
    """Store a campaign with a failed request, a tainted cell, its health, an error, events and a probed latency."""
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race, \u202e=1+1", profile_yaml="name: race\n", source="measured", host="here", version="0.1.0"
        )
        await writer.add_node(campaign, "gf1", {"memory": 1, "gpu": None})
        fingerprint = Fingerprint(model="m", engine={"version": "1"}, sampling={"temperature": 0}).to_json()
        sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint=fingerprint, commands=[{"argv": ["vllm"]}])
        for seq, level in enumerate((1, 2, 4)):
            cell = await writer.create_cell(sweep, seq, concurrency=level, pp=100, tg=11, depth=7, runs=2)
            await writer.set_cell_state(cell, "measuring")
            for number in range(2):
                await writer.commit_wave(cell, number, False, wave(request(), *map(failed, range(1, level))))
            await writer.set_cell_state(cell, "done", taint="late" if level == 2 else None, server_tokens=22)
            if level == 2:
                await writer.set_cell_health(cell, stamps_json({"gf1": samples(3.0), "gf2": []}))
        await writer.add_event(campaign, "warning", "gf1", "guard", "low", {"left": 1.5})
        await writer.set_sweep_state(sweep, "failed", error="the engine died", proof=[{"node": "gf1", "left": []}])
        await writer.set_campaign_state(campaign, "partial", exit_code=1, detail="one topology failed")
    return campaign


async def test_the_json_export_brings_the_whole_campaign_back(path: Path) -> None:
    campaign = await rich_campaign(path)
    copy = again(path, campaign, "json")
    assert copy != campaign
    assert whole(path, copy) == whole(path, campaign)
    assert [w.record for w in waves(path, copy)] == [w.record for w in waves(path, campaign)]


async def test_warm_up_waves_come_back_as_such(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    copy = again(path, campaign, "json")
    assert [(w.seq, w.warmup) for w in waves(path, copy)] == [(w.seq, w.warmup) for w in waves(path, campaign)]


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(("source", "then"), [("simulated", "simulated"), ("measured", "imported")])
async def test_what_was_simulated_stays_simulated(path: Path, form: Format, source: str, then: str) -> None:
    copy = again(path, await store_campaign(path, RATES, source=source), form)
    with Reader(path) as reader:
        assert reader.campaign(copy).source == then
        prints = [Fingerprint.from_json(sweep.fingerprint) for sweep in reader.sweeps(copy)]
    assert {print.simulated for print in prints} == {True if source == "simulated" else None}
    assert (b"SIMULATED" in exported(path, copy, "json")) == (source == "simulated")


async def test_an_import_of_an_import_remembers_every_step(path: Path) -> None:
    twice = again(path, again(path, await store_campaign(path, RATES), "json"), "json")
    with Reader(path) as reader:
        origin = reader.campaign(twice).origin
    assert origin is not None
    sources = json.loads(origin)["sources"]
    assert [source["tool"] for source in sources] == ["sparktui", "sparktui"]


async def test_the_csv_export_brings_every_mean_back(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("tp2", 1): "=late"})
    imported = read(exported(path, campaign, "csv"), "race.csv")
    solo = cells(imported, "solo")
    assert figures(solo[1])["decode_tps"].mean == pytest.approx(sum(RATES["solo"][1]) / 3, rel=1e-4)
    assert (figures(solo[1])["decode_tps"].n, solo[1].runs) == (3, 3)
    assert cells(imported, "tp2")[1].taint == "=late"
    assert (imported.name, imported.version) == ("race", "0.1.0")


async def test_a_cell_that_was_never_measured_comes_back_without_figures(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": {1: (10.0,), 2: ()}})
    for form in ("csv", "json"):
        imported = read(exported(path, campaign, form), "x")
        assert not cells(imported)[2].figures
        assert not [w for w in cells(imported)[2].waves if not w.warmup]


async def test_known_figures_of_an_imported_campaign_come_back_too(path: Path) -> None:
    table = b"metric,unit,better,concurrency,solo,published_winner\ndecode,tok/s,higher,1,10,solo\n"
    campaign = save(path, read(table, "table.csv"))
    copy = again(path, campaign, "json")
    with Reader(path) as reader:
        (row,) = [k for s in reader.sweeps(copy) for c in reader.cells(s.id) for k in reader.known_figures(c.id)]
        assert (row.name, row.mean, row.std) == ("decode_tps", 10.0, None)
        origin = reader.campaign(copy).origin
        assert reader.campaign(copy).source == "published"
    assert origin is not None
    assert json.loads(origin)["expectations"][0]["winner"] == "solo"


async def test_a_campaign_that_was_still_running_is_over_once_imported(path: Path) -> None:
    export = json.loads(exported(path, await store_campaign(path, RATES), "json"))
    export["campaign"]["state"] = "running"
    export["sweeps"][0]["state"] = "measuring"
    export["sweeps"][0]["cells"][1]["state"] = "waiting"
    imported = read(json.dumps(export).encode(), "x.json")
    assert (imported.state, imported.sweeps[0].state, cells(imported)[8].state) == ("partial", "stopped", "skipped")


async def test_a_wrong_value_is_named_with_its_key(path: Path) -> None:
    export = json.loads(exported(path, await store_campaign(path, RATES), "json"))
    export["sweeps"][0]["cells"][0]["waves"][1]["requests"][0]["event_times_us"][0] = "soon"
    with pytest.raises(ImportFileError) as refused:
        read(json.dumps(export).encode(), "x.json")
    assert "sweeps[0].cells[0].waves[1].requests[0].event_times_us" in refused.value.message


async def test_the_origin_reads_as_it_was_written(path: Path) -> None:
    provenance = read(exported(path, await store_campaign(path, RATES), "json"), "x.json").origin
    assert json.loads(provenance.to_json())["sources"][0]["format"] == "sparktui-json"
    assert isinstance(provenance, Provenance)
