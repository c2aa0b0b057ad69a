from __future__ import annotations

import csv
import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sparktui.compare.document import to_json
from sparktui.compare.summary import summarise
from sparktui.errors import UsageError
from sparktui.exporting.names import Format
from sparktui.exporting.text import SIMULATED
from sparktui.importing.published import load_published
from sparktui.importing.save import save
from sparktui.store.reader import Reader
from tests.core.exports import RATES, exported, hostile_campaign, imported_again
from tests.core.measured import store_campaign


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def wide_rows(text: bytes) -> list[dict[str, str]]:
    lines = [line for line in text.decode().splitlines(keepends=True) if not line.startswith("#")]
    return list(csv.DictReader(io.StringIO("".join(lines), newline="")))


def answers(path: Path, campaign: int) -> list[dict[str, object]]:
    """Return what a comparison says row by row, without what only single waves can tell."""
    with Reader(path) as reader:
        rows = to_json(summarise(reader, campaign))["rows"]
    assert isinstance(rows, list)
    told = ("metric", "concurrency", "pp", "tg", "depth", "shape", "values", "winner", "margin", "against", "tie")
    return [{name: row[name] for name in told} for row in rows]


async def test_the_wide_csv_says_what_the_comparison_says(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    rows = wide_rows(exported(path, campaign, "csv-wide"))
    with Reader(path) as reader:
        said = to_json(summarise(reader, campaign))["rows"]
    assert isinstance(said, list)
    assert len(rows) == len(said) == 6
    for row, one in zip(rows, said, strict=True):
        assert (row["metric"], int(row["concurrency"]), row["winner"]) == (
            one["metric"],
            one["concurrency"],
            one["winner"],
        )
        assert {name: float(row[name]) for name in RATES} == one["values"]
        assert float(row["margin"]) == one["margin"]
        assert row["tie"] == ("yes" if one["tie"] else "no")
        assert [float(row["interval_low"]), float(row["interval_high"])] == one["interval"]


async def test_the_wide_csv_says_who_ties_and_who_cannot_win(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": {1: (10.0, 11.0)}, "tp2": {1: (10.1, 11.1)}})
    (row, *_) = wide_rows(exported(path, campaign, "csv-wide"))
    assert (row["tie"], row["tied"], row["cannot_win"], row["awaited"]) == ("yes", "solo; tp2", "", "")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE cell SET taint = 'asleep' WHERE sweep = (SELECT id FROM sweep WHERE topology = 'tp2')")
    (row, *_) = wide_rows(exported(path, campaign, "csv-wide"))
    assert (row["tied"], row["cannot_win"]) == ("", '{"tp2": "asleep"}')
    copy = answers(path, imported_again(path, campaign, "csv-wide"))
    assert copy[0]["values"] == answers(path, campaign)[0]["values"]


async def test_a_wide_csv_comes_back_with_the_same_values_and_winners(path: Path) -> None:
    rates = {"solo": {1: (10.0,), 8: (80.0,)}, "tp2": {1: (15.0,), 8: (70.0,)}}
    campaign = await store_campaign(path, rates)
    assert answers(path, imported_again(path, campaign, "csv-wide")) == answers(path, campaign)


async def test_a_topology_called_like_a_column_of_ours_is_told_apart(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": {1: (10.0,)}, "winner": {1: (15.0,)}})
    (row, *_) = wide_rows(exported(path, campaign, "csv-wide"))
    assert row["winner"] == "winner"
    assert float(row["winner_"]) == pytest.approx(15.0, rel=1e-4)
    copy = answers(path, imported_again(path, campaign, "csv-wide"))
    assert copy[0]["winner"] == "winner_"


def test_the_published_tables_come_back_from_the_wide_csv_whole(path: Path) -> None:
    campaign = save(path, load_published("gemma4-26b-a4b"))
    copy = imported_again(path, campaign, "csv-wide")
    assert answers(path, copy) == answers(path, campaign)
    with Reader(path) as reader:
        assert reader.campaign(copy).source == "published"
        assert reader.campaign(copy).created == reader.campaign(campaign).created


@pytest.mark.parametrize("form", ["csv", "csv-wide", "json", "benchy-json", "benchy-csv"])
async def test_what_was_simulated_stays_simulated_in_every_format_that_can_be_imported(path: Path, form: str) -> None:
    campaign = await store_campaign(path, RATES, source="simulated")
    topology = "solo" if form.startswith("benchy") else None
    copy = imported_again(path, campaign, form, topology=topology)  # type: ignore[arg-type]
    with Reader(path) as reader:
        assert reader.campaign(copy).source == "simulated"


@pytest.mark.parametrize("form", ["csv-wide", "json", "markdown", "svg", "html", "benchy-json", "benchy-md"])
@pytest.mark.parametrize("source", ["simulated", "measured"])
async def test_a_file_says_simulated_where_it_is_and_only_there(path: Path, form: str, source: str) -> None:
    campaign = await store_campaign(path, RATES, source=source)
    text = exported(path, campaign, form, topology="solo").decode()  # type: ignore[arg-type]
    assert (SIMULATED in text) == (source == "simulated")
    assert ("SIMULATED" in text) == (source == "simulated")


async def test_the_markdown_has_a_table_a_figure_and_how_it_was_measured(path: Path) -> None:
    text = exported(path, await store_campaign(path, RATES), "markdown").decode()
    assert "| Concurrency | solo | tp2 | Winner | 95 % interval |" in text
    assert re.search(r"^\| c1 \| 11\.23 \| \*\*15\.20\*\* \| tp2 \+35 % \| [+-].* % \|$", text, re.MULTILINE)
    for part in ("## When to use which", "## How it was measured", "| calculator | usage |", "### gf1", "name: race"):
        assert part in text


async def test_the_published_tables_read_as_they_were_published(path: Path) -> None:
    text = exported(path, save(path, load_published("gemma4-26b-a4b")), "markdown").decode()
    for line in (
        "| c8 | 152.4 | **222.6** | 160.5 | 216.3 | cluster-tp2 +46 % vs solo |",
        "| c2 | 6 204 | **7 312** | **7 272** | - | cluster-tp2 = shuffle, +17 to +18 % vs solo |",
        "| c64 | 355.7 | 477.8 | **508.1** | 470.3 | shuffle +6.3 % vs cluster-tp2 |",
        "| c64 | 5 431 | 4 125 | **3 168** | - | shuffle -23 % vs cluster-tp2 |",
    ):
        assert line in text


async def test_no_text_becomes_markup_in_markdown(path: Path) -> None:
    text = exported(path, await hostile_campaign(path), "markdown").decode()
    shown, fence, profile = text.partition("## Profile\n\n")
    assert fence
    for forbidden in ("<script", "<img", "<b>", "<svg", "\x1b", "\u202e", "http://"):
        assert forbidden not in shown
    assert profile.startswith("````yaml\n")
    assert profile.rstrip().endswith("````")
    table = [line for line in shown.splitlines() if line.startswith("| Concurrency")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {5}


async def test_no_text_becomes_a_formula_or_a_line_in_the_wide_csv(path: Path) -> None:
    text = exported(path, await hostile_campaign(path), "csv-wide")
    comments = [line for line in text.decode().splitlines() if line.startswith("#")]
    assert all(re.match(r"# [a-z0-9_<>*|`/]+: \S", line, re.IGNORECASE) for line in comments)
    assert not any(character in text.decode() for character in ("\x1b", "\u202e"))
    assert not any(field.startswith(("=", "+", "@")) for row in wide_rows(text) for field in row.values())


async def test_one_topology_alone_can_be_exported(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    assert "tp2" not in exported(path, campaign, "markdown", topology="solo").decode()
    assert {
        row["topology"] for row in csv.DictReader(io.StringIO(exported(path, campaign, "csv", topology="tp2").decode()))
    } == {"tp2"}
    forms: tuple[Format, ...] = ("csv", "csv-wide", "json", "markdown", "svg", "html", "benchy-json")
    for form in forms:
        with pytest.raises(UsageError, match="no topology 'tp9'"):
            exported(path, campaign, form, topology="tp9")


@pytest.mark.parametrize("form", ["csv-wide", "markdown", "svg", "html"])
async def test_a_campaign_without_any_figure_is_exported_all_the_same(path: Path, form: str) -> None:
    campaign = await store_campaign(path, {"solo": {1: (), 2: ()}, "tp2": {}})
    assert exported(path, campaign, form)  # type: ignore[arg-type]
    assert exported(path, await store_campaign(path, {}), form)  # type: ignore[arg-type]


async def test_another_calculators_figures_are_named_as_such(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    forms: tuple[Format, ...] = ("csv", "csv-wide", "json", "markdown", "html", "svg")
    for form in forms:
        text = exported(path, campaign, form, calculator="benchy-0.3.5").decode()
        assert "benchy-0.3.5" in text
