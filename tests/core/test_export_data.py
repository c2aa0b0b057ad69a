from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from statistics import mean, stdev

import jsonschema
import pytest

from sparktui import __version__
from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import StoreError, UsageError
from sparktui.exporting.files import chunks, export
from sparktui.exporting.tidy_csv import COLUMNS
from sparktui.importing.published import load_published
from sparktui.importing.save import save
from sparktui.measure.cell import cell_figures
from sparktui.measure.figures import FIGURES
from sparktui.measure.record import event_times_us
from sparktui.store.atomic import write_atomically
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.exports import hostile_campaign
from tests.core.measured import store_campaign

RATES = {"solo": {1: (10.0, 11.0, 12.7), 8: (80.0,)}, "tp2": {1: (15.0, 15.5, 15.1), 8: (100.0,)}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def csv_rows(path: Path, campaign: int) -> list[dict[str, str]]:
    with Reader(path) as reader:
        text = b"".join(chunks(reader, campaign, "csv")).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def as_json(path: Path, campaign: int) -> dict[str, object]:
    with Reader(path) as reader:
        loaded = json.loads(b"".join(chunks(reader, campaign, "json")))
    assert isinstance(loaded, dict)
    return loaded


async def test_the_csv_holds_what_the_store_holds_to_the_last_digit(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    rows = {(r["topology"], int(r["concurrency"]), r["metric"]): r for r in csv_rows(path, campaign)}
    with Reader(path) as reader:
        for sweep in reader.sweeps(campaign):
            for cell in reader.cells(sweep.id):
                waves = reader.waves(cell.id, events=True, warmup=False)
                figures = cell_figures([w.record for w in waves]).figures
                assert {"itl_p50_ms", "itl_p95_ms"} <= figures.keys()
                for name, figure in figures.items():
                    row = rows.pop((sweep.topology, cell.concurrency, name))
                    assert float(row["mean"]) == figure.mean
                    assert (float(row["std"]) if row["std"] else None) == figure.sample_std
                    assert int(row["n"]) == figure.n
                    assert (row["unit"], row["better"]) == (FIGURES[name].unit, FIGURES[name].better)
    assert rows == {}


async def test_a_csv_row_says_what_its_figure_is_and_leaves_warm_up_out(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("solo", 1): "the client used 80% of a core"})
    rows = csv_rows(path, campaign)
    assert tuple(rows[0]) == COLUMNS
    row = next(r for r in rows if r["metric"] == "decode_tps" and r["topology"] == "solo" and r["concurrency"] == "1")
    assert float(row["mean"]) == pytest.approx(mean((10.0, 11.0, 12.7)), rel=1e-4)
    assert float(row["std"]) == pytest.approx(stdev((10.0, 11.0, 12.7)), rel=1e-3)
    assert (row["source"], row["calculator"], row["shape"], row["token_source"]) == (
        "measured",
        "usage",
        "waves",
        "token_ids",
    )
    assert (row["waves"], row["requests"], row["errors"]) == ("3", "3", "0")
    assert row["taint"] == "the client used 80% of a core"


async def test_a_simulated_campaign_says_so_in_every_csv_row_and_on_top_of_the_json(path: Path) -> None:
    campaign = await store_campaign(path, RATES, source="simulated")
    assert {row["source"] for row in csv_rows(path, campaign)} == {"simulated"}
    exported = as_json(path, campaign)
    assert next(iter(exported)) == "SIMULATED"
    assert exported["simulated"] is True


async def test_a_measured_campaign_never_says_simulated(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    exported = as_json(path, campaign)
    assert "SIMULATED" not in exported
    assert exported["simulated"] is False


async def test_a_cell_without_figures_has_a_row_all_the_same(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": {1: ()}})
    (row,) = csv_rows(path, campaign)
    assert (row["topology"], row["metric"], row["mean"], row["n"]) == ("solo", "", "", "0")


async def test_no_text_is_taken_for_a_formula_by_a_spreadsheet_or_obeyed_by_a_terminal(path: Path) -> None:
    for text, shown in (
        *((t, f"'{t}") for t in ("=1+1", "+1", "-1", "@x", "\tx", "\nx", "＝1")),
        ("a;=1", "a;'=1"),
        ("\rx", r"\x0dx"),
        ("\x1bx", r"\x1bx"),
    ):
        campaign = await store_campaign(path, {"solo": {1: (10.0,)}}, taints={("solo", 1): text})
        assert {row["taint"] for row in csv_rows(path, campaign)} == {shown}


async def test_the_json_holds_every_wave_and_every_token_event(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    exported = as_json(path, campaign)
    assert exported["sparktui"] == __version__
    assert exported["campaign"]["profile_yaml"] == "name: race\n"  # type: ignore[index]
    assert exported["nodes"] == [{"name": "gf1", "facts": {"memory": 1}}]
    with Reader(path) as reader:
        stored = [
            (sweep, cell, reader.waves(cell.id, events=True))
            for sweep in reader.sweeps(campaign)
            for cell in reader.cells(sweep.id)
        ]
    sweeps = exported["sweeps"]
    assert isinstance(sweeps, list)
    found = [(sweep, cell) for sweep in sweeps for cell in sweep["cells"]]
    assert len(found) == len(stored) == 4
    for (sweep, cell, waves), (its_sweep, its_cell) in zip(stored, found, strict=True):
        assert its_sweep["topology"] == sweep.topology
        assert Fingerprint.from_json(json.dumps(its_sweep["fingerprint"])).model == "m"
        assert its_cell["concurrency"] == cell.concurrency
        assert [w["warmup"] for w in its_cell["waves"]] == [w.warmup for w in waves]
        for row, its_wave in zip(waves, its_cell["waves"], strict=True):
            (record,), (its_request,) = row.record.requests, its_wave["requests"]
            assert its_request["event_times_us"] == event_times_us(record)
            assert its_request["completion_tokens"] == record.completion_tokens
            assert its_request["ttft_us"] == record.ttft_us


async def test_commands_and_log_lines_are_exported_as_data(path: Path) -> None:
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="", source="measured", host="here", version="1"
        )
        await writer.create_sweep(campaign, 0, "solo", fingerprint="{}", commands=[{"argv": ["vllm", "serve"]}])
        await writer.add_event(campaign, "info", "runner", "ready", "solo is up", {"s": 3})
    exported = as_json(path, campaign)
    assert exported["sweeps"][0]["commands"] == [{"argv": ["vllm", "serve"]}]  # type: ignore[index]
    assert exported["events"][0]["data"] == {"s": 3}  # type: ignore[index]


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_file_is_written_whole_for_its_owner_alone(path: Path, tmp_path: Path, form: str) -> None:
    campaign = await store_campaign(path, RATES)
    target = tmp_path / "out" / f"race.{form}"
    target.parent.mkdir()
    target.write_text("old")
    with Reader(path) as reader:
        export(reader, campaign, form, target)  # type: ignore[arg-type]
        assert target.read_bytes() == b"".join(chunks(reader, campaign, form))  # type: ignore[arg-type]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(target.parent.iterdir()) == [target]


async def test_an_unknown_campaign_is_a_usage_error_before_anything_is_written(path: Path, tmp_path: Path) -> None:
    await store_campaign(path, RATES)
    with Reader(path) as reader, pytest.raises(UsageError, match="no campaign 99"):
        export(reader, 99, "csv", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "race.csv"
    target.write_text("old")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise StoreError("the disk is gone")

    with pytest.raises(StoreError):
        write_atomically(target, broken())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link.csv"
    victim.write_text("precious")
    link.symlink_to(victim)
    with pytest.raises(UsageError, match="symbolic link"):
        write_atomically(link, [b"x"])
    link.unlink()
    link.symlink_to(tmp_path / "not there yet")
    with pytest.raises(UsageError, match="symbolic link"):
        write_atomically(link, [b"x"])
    assert victim.read_text() == "precious"


def test_a_folder_a_device_and_a_missing_folder_are_usage_errors(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target, said in (
        (tmp_path, "is a folder"),
        (pipe, "not a regular file"),
        (tmp_path / "no" / "x.csv", "No such file"),
        (pipe / "x.csv", "Not a directory"),
        (tmp_path / ("x" * 300), "name too long"),
    ):
        with pytest.raises(UsageError, match=f"(?i){said}"):
            write_atomically(target, [b"x"])


SCHEMA = json.loads((files("sparktui.exporting") / "campaign.schema.json").read_text(encoding="utf-8"))


async def test_the_json_keeps_to_the_schema_that_ships_with_it(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    published = save(path, load_published("gemma4-26b-a4b"))
    simulated = await store_campaign(path, RATES, source="simulated")
    for campaign in (await store_campaign(path, RATES), simulated, published, await hostile_campaign(path)):
        jsonschema.validate(as_json(path, campaign), SCHEMA)


async def test_the_schema_refuses_what_is_not_said_or_said_wrongly(path: Path) -> None:
    whole = as_json(path, await store_campaign(path, RATES, source="simulated"))
    for broken in (
        {name: value for name, value in whole.items() if name != "SIMULATED"},
        {**whole, "format": "sparktui.campaign.v2"},
        {**whole, "more": 1},
        {name: value for name, value in whole.items() if name != "nodes"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


async def test_a_csv_row_names_model_fingerprint_nodes_and_profile(path: Path) -> None:
    row = csv_rows(path, await store_campaign(path, RATES))[0]
    assert row["model"] == "m"
    assert json.loads(row["fingerprint"])["model"] == "m"
    assert json.loads(row["nodes"]) == {"gf1": {"memory": 1}}
    assert row["profile_sha256"] == hashlib.sha256(b"name: race\n").hexdigest()


async def test_a_large_campaign_is_written_piece_by_piece(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": dict.fromkeys((1, 2, 4, 8), (10.0, 11.0))})
    with Reader(path) as reader:
        pieces = [len(piece) for piece in (*chunks(reader, campaign, "csv"), *chunks(reader, campaign, "json"))]
    assert len(pieces) > 4 * (3 + 2)
    assert max(pieces) < 12_000
