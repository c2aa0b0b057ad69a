from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sparktui.errors import UsageError
from sparktui.importing.formats import read
from sparktui.importing.published import load_published
from sparktui.importing.save import save
from sparktui.measure.benchy import run_0_3_5, run_0_4_0
from sparktui.measure.cell import CellContext
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.exports import RATES, exported, hostile_campaign, imported_again
from tests.core.imports import raw, sample
from tests.core.measured import store_campaign, stream_at, wave
from tests.oracle.wheels import LlamaBenchy, UnavailableError, load

DATA = Path(__file__).parent / "data" / "exports"
METRICS = (
    "pp_throughput",
    "pp_req_throughput",
    "tg_throughput",
    "tg_req_throughput",
    "peak_throughput",
    "peak_req_throughput",
    "ttfr",
    "est_ppt",
    "e2e_ttft",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


@pytest.fixture(params=["0.3.5", "0.4.0"])
def benchy(request: pytest.FixtureRequest) -> LlamaBenchy:
    try:
        return load(str(request.param))
    except UnavailableError as error:
        pytest.skip(str(error))


async def two_streams(path: Path) -> int:
    """Store one topology with levels 1 and 2 and a probed latency."""
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(name="r", profile_yaml="", source="measured", host="h", version="1")
        sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint='{"model":"org/m"}')
        await writer.set_sweep_latency(sweep, "api", 2500.0)
        for seq, level in enumerate((1, 2)):
            cell = await writer.create_cell(sweep, seq, concurrency=level, pp=100, tg=11, depth=0, runs=2)
            for number, rate in enumerate((50.0, 40.0)):
                streams = (stream_at(rate, 90_000 + 7_000 * slot, slot) for slot in range(level))
                await writer.commit_wave(cell, number, False, wave(*streams))
            await writer.set_cell_state(cell, "done")
    return campaign


async def test_the_json_holds_what_the_calculator_says_field_by_field(path: Path) -> None:
    campaign = await two_streams(path)
    for version, run in (("0.3.5", run_0_3_5), ("0.4.0", run_0_4_0)):
        found = json.loads(exported(path, campaign, "benchy-json", calculator=f"benchy-{version}"))
        assert (found["version"], found["model"], found["latency_mode"]) == (version, "org/m", "api")
        assert (found["latency_ms"], found["max_concurrency"], found["prefix_caching_enabled"]) == (2.5, 2, False)
        with Reader(path) as reader:
            (sweep,) = reader.sweeps(campaign)
            for cell, benchmark in zip(reader.cells(sweep.id), found["benchmarks"], strict=True):
                waves = [row.record for row in reader.waves(cell.id, events=True, warmup=False)]
                expected = run(waves, CellContext(cell.concurrency, cell.pp, latency_s=0.0025))
                for name in METRICS:
                    metric = getattr(expected, name)
                    assert benchmark[name] == {"mean": metric.mean, "std": metric.std, "values": list(metric.values)}


async def test_llama_benchys_own_classes_and_schema_accept_the_json(path: Path, benchy: LlamaBenchy) -> None:
    report = json.loads(exported(path, await two_streams(path), "benchy-json", calculator=f"benchy-{benchy.version}"))
    theirs = benchy.results.BenchmarkReport.model_validate(report, strict=True)
    assert [run.concurrency for run in theirs.benchmarks] == [1, 2]
    schema = benchy.results.BenchmarkReport.model_json_schema()
    jsonschema.validate(report, schema)
    keys = {name for name in report if name != "sparktui"}
    assert keys == set(schema["properties"])
    assert set(report["benchmarks"][0]) == set(schema["$defs"]["BenchmarkRun"]["properties"])
    report["benchmarks"][0]["ttfr"]["std"] = None
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, schema)


async def test_the_csv_is_what_llama_benchy_writes_of_that_json(
    path: Path, benchy: LlamaBenchy, tmp_path: Path
) -> None:
    campaign, name = await two_streams(path), f"benchy-{benchy.version}"
    report = json.loads(exported(path, campaign, "benchy-json", calculator=name))
    results: Any = benchy.results.BenchmarkResults()
    results.runs = [benchy.results.BenchmarkRun.model_validate(run) for run in report["benchmarks"]]
    results.metadata = benchy.results.BenchmarkMetadata.model_validate(report)
    results.model_name = report["model"]
    results.save_report(str(tmp_path / "theirs.csv"), "csv", report["max_concurrency"])
    assert exported(path, campaign, "benchy-csv", calculator=name) == (tmp_path / "theirs.csv").read_bytes()


@pytest.mark.parametrize("version", ["0.3.5", "0.4.0"])
def test_a_file_of_llama_benchys_comes_out_as_it_went_in(path: Path, version: str) -> None:
    name = f"llama-benchy-{version}"
    campaign = save(path, sample(f"{name}.json"))
    ours, theirs = json.loads(exported(path, campaign, "benchy-json")), json.loads(raw(f"{name}.json"))
    del ours["sparktui"]
    for benchmark in theirs["benchmarks"]:  # these may hold series, which are not imported
        benchmark["throughput_over_time"] = benchmark["requests_throughput_over_time"] = None
    assert {k: v for k, v in ours.items() if k != "benchmarks"} == {
        k: v for k, v in theirs.items() if k != "benchmarks"
    }
    for mine, their in zip(ours["benchmarks"], theirs["benchmarks"], strict=True):
        for key, value in their.items():
            if isinstance(value, dict):
                assert mine[key]["values"] == value["values"]
                assert mine[key]["mean"] == pytest.approx(value["mean"], rel=1e-12)
                assert mine[key]["std"] == pytest.approx(value["std"], rel=1e-9, abs=1e-9)
            else:
                assert mine[key] == value


@pytest.mark.parametrize(("levels", "name"), [(2, "llama-benchy-0.3.5-c1-c4.md"), (1, "llama-benchy-0.3.5-c1.md")])
def test_the_markdown_is_the_table_that_llama_benchy_prints(path: Path, levels: int, name: str) -> None:
    imported = sample("llama-benchy-0.3.5.json")
    (sweep,) = imported.sweeps
    campaign = save(path, replace(imported, sweeps=(replace(sweep, cells=sweep.cells[:levels]),)))
    table, _, below = exported(path, campaign, "benchy-md").decode().partition("\n\n")
    assert table == (DATA / name).read_text(encoding="utf-8").strip()
    assert below.startswith("llama-benchy 0.3.5's figures; imported by sparktui")


@pytest.mark.parametrize("form", ["benchy-json", "benchy-csv"])
async def test_what_was_exported_comes_back_with_the_same_figures(path: Path, form: str) -> None:
    campaign = await two_streams(path)
    imported = read(exported(path, campaign, form), "x", topology="solo")  # type: ignore[arg-type]
    again = save(path, imported)
    with Reader(path) as reader:
        (sweep,) = reader.sweeps(again)
        cells = reader.cells(sweep.id)
        assert [(cell.concurrency, cell.pp, cell.tg) for cell in cells] == [(1, 100, 11), (2, 100, 11)]
        assert all(len(reader.known_figures(cell.id)) == len(METRICS) for cell in cells)
    assert exported(path, imported_again(path, campaign, "benchy-json"), "benchy-csv") == exported(
        path, campaign, "benchy-csv"
    )


async def test_a_campaign_of_several_topologies_needs_one_to_be_chosen(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    with pytest.raises(UsageError) as refused:
        exported(path, campaign, "benchy-json")
    assert "solo, tp2" in refused.value.hint
    assert json.loads(exported(path, campaign, "benchy-json", topology="tp2"))["sparktui"]["topology"] == "tp2"


async def test_figures_that_llama_benchy_would_not_give_are_refused(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    with pytest.raises(UsageError, match="not llama-benchy's"):
        exported(path, campaign, "benchy-json", calculator="usage", topology="solo")
    guidellm = save(path, sample("guidellm-0.8.1.json"))
    with pytest.raises(UsageError, match="llama-benchy"):
        exported(path, guidellm, "benchy-json")


def test_means_without_a_known_spread_are_refused_rather_than_made_up(path: Path) -> None:
    campaign = save(path, load_published("gemma4-26b-a4b"))
    with pytest.raises(UsageError, match="nothing that llama-benchy's report could hold"):
        exported(path, campaign, "benchy-csv", topology="solo")


async def test_a_cell_that_cannot_win_is_named_beside_the_report(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("solo", 8): "late"})
    found = json.loads(exported(path, campaign, "benchy-json", topology="solo"))
    assert found["sparktui"]["cannot_win"] == {"pp100 tg11, waves c8": "late"}


async def test_a_hostile_model_stays_within_its_cell_of_the_markdown(path: Path) -> None:
    campaign = await hostile_campaign(path)
    lines = exported(path, campaign, "benchy-md", topology="tp2").decode().splitlines()
    assert not any("<img" in line or "<script" in line for line in lines)
    assert len({len(line) for line in lines[:4]}) == 1
