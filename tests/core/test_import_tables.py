from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparktui.compare.baseline import stated_baselines
from sparktui.errors import ImportFileError, UsageError
from sparktui.importing.formats import read
from sparktui.importing.imported import Imported
from sparktui.importing.joining import join
from sparktui.importing.published import PUBLISHED, load_published, open_published
from tests.core.imports import cells, figures

REFERENCES = Path(__file__).parents[2] / "sparktui" / "importing" / "references" / "gemma4-26b-a4b"
FIGURE = {"decode": "decode_tps", "prefill": "prefill_tps", "ttft": "ttft_ms"}


def table_rows(table: str) -> Iterator[dict[str, str]]:
    text = (REFERENCES / table).read_text()
    yield from csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


def table(*rows: str, head: str = "metric,unit,better,concurrency,solo,tp2") -> Imported:
    return read("\n".join((head, *rows)).encode(), "table.csv")


def mean(imported: Imported, topology: str, level: int, figure: str) -> float | None:
    cell = cells(imported, topology).get(level)
    known = None if cell is None else figures(cell).get(figure)
    return None if known is None else known.mean


@pytest.mark.parametrize("name", ["topologies.csv", "ray.csv"])
def test_the_published_campaign_holds_every_number_of_the_published_tables(name: str) -> None:
    published = load_published("gemma4-26b-a4b")
    count = 0
    for row in table_rows(name):
        for topology in ("solo", "cluster-tp2", "shuffle", "cluster-tp2-ray"):
            if row.get(topology):
                figure = FIGURE[row["metric"]]
                assert mean(published, topology, int(row["concurrency"]), figure) == float(row[topology])
                count += 1
    assert count == {"topologies.csv": 63, "ray.csv": 14}[name]


def test_of_the_ray_cluster_only_decode_was_published() -> None:
    ray = cells(load_published("gemma4-26b-a4b"), "cluster-tp2-ray")
    assert {name for cell in ray.values() for name in figures(cell)} == {"decode_tps"}


def test_the_published_campaign_says_where_it_comes_from() -> None:
    published = load_published("published/gemma4-26b-a4b")
    assert (published.name, published.source) == ("published/gemma4-26b-a4b", "published")
    for source in published.origin.sources:
        assert (source.tool, source.version, source.date) == ("llama-benchy", "0.3.5", "2026-04-06")
        assert {"source", "engine", "image", "hardware"} <= source.facts.keys()
    for sweep in published.sweeps:
        fingerprint = sweep.fingerprint
        assert (fingerprint.model, fingerprint.pp, fingerprint.tg) == ("google/gemma-4-26B-A4B-it", 1024, 128)
        assert (fingerprint.calculator, fingerprint.engine["engine"]) == ("benchy-0.3.5", "vLLM 0.19.1rc1.dev36")
        assert {cell.runs for cell in sweep.cells} == {50}


def test_the_published_margins_come_with_what_they_are_against() -> None:
    origin = load_published("gemma4-26b-a4b").origin
    stated = stated_baselines(origin.to_json()).stated
    rows = list(table_rows("topologies.csv"))
    assert stated == {(row["metric"], int(row["concurrency"])): row["margin_against"] for row in rows}
    assert [e.margin for e in origin.expectations if e.margin] == [row["published_margin"] for row in rows]
    assert [e.gain for e in origin.expectations if e.gain] == [row["published_gain"] for row in table_rows("ray.csv")]


def test_a_published_campaign_can_be_read_like_a_stored_one_and_leaves_nothing_behind() -> None:
    with open_published(PUBLISHED[0]) as (reader, campaign):
        row = reader.campaign(campaign)
        folder = reader.path.parent
        assert (row.source, row.state) == ("published", "done")
        (solo, *_) = reader.sweeps(campaign)
        known = [reader.known_figures(cell.id) for cell in reader.cells(solo.id)]
        assert [len(rows) for rows in known] == [3] * 7
    assert not folder.exists()


def test_an_unknown_published_campaign_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(UsageError) as unknown, open_published("nothing"):
        pass
    assert "published/gemma4-26b-a4b" in unknown.value.hint


def test_a_blank_or_a_dash_is_a_cell_that_was_not_measured() -> None:
    imported = table("decode,tok/s,higher,1,10,-", "decode,tok/s,higher,2,20,", "ttft,ms,lower,2,,5")
    assert set(cells(imported, "solo")) == {1, 2}
    assert set(cells(imported, "tp2")) == {2}
    assert set(figures(cells(imported, "tp2")[2])) == {"ttft_ms"}


def test_four_topologies_and_a_workload_a_row() -> None:
    head = "metric,unit,better,concurrency,pp,tg,depth,a,b,c,d,winner,margin"
    imported = table("decode,tok/s,higher,4,512,64,1024,1,2,3,4,d,+33%", head=head)
    assert [sweep.topology for sweep in imported.sweeps] == ["a", "b", "c", "d"]
    cell = cells(imported, "d")[4]
    assert (cell.pp, cell.tg, cell.depth, figures(cell)["decode_tps"].mean) == (512, 64, 1024, 4.0)


def test_a_plain_table_leaves_workload_model_and_calculator_unknown() -> None:
    imported = table("decode,tok/s,higher,1,10,11")
    fingerprint = imported.sweeps[0].fingerprint
    assert (fingerprint.model, fingerprint.pp, fingerprint.calculator, imported.source) == (
        None,
        None,
        None,
        "imported",
    )
    assert cells(imported)[1].pp == 0
    assert "prompt and output length" in imported.origin.sources[0].cannot_know


def test_facts_above_the_header_are_kept() -> None:
    facts = "# model: m\n# pp: 128\n#tg: 16\n# a remark\n\n"
    imported = table("decode,tok/s,higher,1,10,11", head=facts + "metric,unit,better,concurrency,solo,tp2")
    assert (imported.sweeps[0].fingerprint.model, cells(imported)[1].pp, cells(imported)[1].tg) == ("m", 128, 16)


def test_a_table_of_simulated_figures_stays_simulated() -> None:
    head = "metric,unit,better,concurrency,solo,source"
    assert table("decode,tok/s,higher,1,10,simulated", head=head).source == "simulated"


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (("decode,tok/s,higher,1,10",), "line 2: 5 values below 6 columns"),
        (("decode,tok/s,higher,1,10,nan",), "line 2: tp2 'nan' is no finite number"),
        (("decode,tok/s,higher,1,10,inf",), "line 2: tp2 'inf' is no finite number"),
        (("decode,tok/s,higher,1,10,-3",), "line 2: tp2 '-3' is no finite number"),
        (("decode,tok/s,higher,1,10,fast",), "line 2: tp2 'fast' is not a number"),
        (("decode,tok/s,higher,0,10,11",), "line 2: concurrency '0' is no whole number from 1 to 1000000"),
        (("decode,tok/s,higher,,10,11",), "line 2: concurrency '' is missing"),
        (("decode,ms,higher,1,10,11",), "line 2: unit 'ms' should be 'tok/s' for decode"),
        (("ttft,ms,higher,1,10,11",), "line 2: better 'higher' should be 'lower' for ttft"),
        (("speed,ms,higher,1,10,11",), "line 2: metric 'speed' is none of decode"),
        (("decode,tok/s,higher,1,10,11",) * 2, "line 3: the same cells as line 2"),
        ((), "no row below the header"),
    ],
)
def test_a_wrong_table_says_what_and_where(rows: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(ImportFileError) as refused:
        table(*rows)
    assert wrong in refused.value.message


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ImportFileError, match="two columns are called 'solo'"):
        table("decode,tok/s,higher,1,10,11", head="metric,unit,better,concurrency,solo,solo")


def test_files_side_by_side_make_one_campaign() -> None:
    a = read(b"metric,unit,better,concurrency,solo\ndecode,tok/s,higher,1,10\n", "a.csv")
    b = read(b"metric,unit,better,concurrency,tp2,solo\ndecode,tok/s,higher,1,12,10\n", "b.csv")
    both = join([a, b], "both")
    assert [sweep.topology for sweep in both.sweeps] == ["solo", "tp2"]
    assert (both.name, [source.file for source in both.origin.sources]) == ("both", ["a.csv", "b.csv"])


def test_files_that_contradict_each_other_are_refused() -> None:
    a = read(b"metric,unit,better,concurrency,solo\ndecode,tok/s,higher,1,10\n", "a.csv")
    b = read(b"metric,unit,better,concurrency,solo\ndecode,tok/s,higher,1,11\n", "b.csv")
    with pytest.raises(ImportFileError, match="decode_tps is 10 in one file and 11 in another"):
        join([a, b])
    other = read(b"# model: other\nmetric,unit,better,concurrency,solo\ndecode,tok/s,higher,2,11\n", "b.csv")
    with pytest.raises(ImportFileError, match="in two files, with model - and other"):
        join([a, other])
