from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sparktui.compare.comparison import Comparison
from sparktui.compare.summary import summarise
from sparktui.errors import ImportFileError
from sparktui.exporting.names import Format
from sparktui.importing.formats import read
from sparktui.importing.imported import ImportedCell
from sparktui.importing.joining import join
from sparktui.importing.save import save
from sparktui.store.reader import Reader
from tests.core.exports import RATES, exported, imported_again
from tests.core.measured import store_campaign

WHY = '1 of 8 requests failed (500): "no" {x}; tp2: -1; =2'
HEAD = "metric,unit,better,concurrency,solo,tp2,cannot_win"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def compared(path: Path, campaign: int) -> Comparison:
    with Reader(path) as reader:
        return summarise(reader, campaign)


def barred(path: Path, campaign: int) -> list[tuple[str, int, str | None]]:
    """Return why solo cannot win, by metric and level."""
    return [(row.metric, row.concurrency, row.barred.get("solo")) for row in compared(path, campaign).rows]


def says_untold(path: Path, campaign: int) -> bool:
    return any("requests that failed" in note for note in compared(path, campaign).notes)


def table(*rows: str) -> tuple[ImportedCell, ...]:
    """Return solo's cells of a table."""
    return read("\n".join((HEAD, *rows)).encode(), "t.csv").sweeps[0].cells


@pytest.mark.parametrize("form", ["csv", "csv-wide", "json", "benchy-json"])
async def test_what_cannot_win_cannot_win_after_an_export_and_an_import(path: Path, form: Format) -> None:
    campaign = await store_campaign(path, RATES, taints={("solo", 8): WHY})
    told = barred(path, campaign)
    assert {why for _, level, why in told if level == 8} == {WHY}
    topology = "solo" if form == "benchy-json" else None
    copy = imported_again(path, campaign, form, topology=topology)
    assert barred(path, copy) == told
    assert not says_untold(path, copy)
    assert barred(path, imported_again(path, copy, form, topology=topology)) == told


async def test_what_llama_benchys_csv_cannot_carry_is_said_in_every_comparison(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("solo", 8): WHY})
    assert not says_untold(path, campaign)
    copy = imported_again(path, campaign, "benchy-csv", topology="solo")
    (note,) = (note for note in compared(path, copy).notes if "requests that failed" in note)
    assert note.startswith("not known which cells of solo had requests that failed")


@pytest.mark.parametrize("form", ["csv", "csv-wide", "json", "benchy-json", "benchy-csv"])
async def test_what_is_not_known_stays_so_through_another_export_and_another_name(path: Path, form: Format) -> None:
    campaign = await store_campaign(path, RATES)
    text = exported(path, campaign, "benchy-csv", topology="solo")
    copy = save(path, read(text, "solo.csv", topology="solo", version="0.4.0"))
    again = save(path, read(exported(path, copy, form), "again.x", topology="alone"))
    assert says_untold(path, again)


async def test_a_cell_that_has_nothing_in_llama_benchys_report_is_named_at_import(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("solo", 8): WHY})
    report = json.loads(exported(path, campaign, "benchy-json", topology="solo"))
    report["benchmarks"] = report["benchmarks"][:1]
    (origin,) = read(json.dumps(report).encode(), "solo.json").origin.sources
    assert origin.left_out == (f"pp100 tg11, waves c8: no figures ({WHY})",)


def test_a_value_that_is_no_figure_bars_its_metric_and_not_its_cell() -> None:
    why = '"{""solo"": ""its value 0.0 is no figure""}"'
    (cell,) = table(f"decode,tok/s,higher,1,0,9,{why}", "prefill,tok/s,higher,1,100,90,")
    assert cell.taint is None
    (cell,) = table(f"decode,tok/s,higher,1,5,9,{why}", "prefill,tok/s,higher,1,100,90,")
    assert cell.taint == "its value 0.0 is no figure"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ("solo: late", "should be JSON such as"),
        ('"{""solo"": 3}"', "should be JSON such as"),
        ('"{""sole"": ""late""}"', "names 'sole', which has no column"),
    ],
)
def test_who_cannot_win_is_never_passed_over(told: str, problem: str) -> None:
    with pytest.raises(ImportFileError, match=r"t\.csv, line 2: cannot_win .*") as refused:
        table(f"decode,tok/s,higher,1,5,9,{told}")
    assert problem in refused.value.message


def test_of_a_cell_in_two_files_each_files_reason_is_kept() -> None:
    part = read(f"{HEAD}\ndecode,tok/s,higher,1,5,9,".encode(), "t.csv")
    (cell,) = part.sweeps[0].cells
    late, failed = (
        replace(part, sweeps=(replace(part.sweeps[0], cells=(replace(cell, taint=why),)),))
        for why in ("late", "failed")
    )
    (joined,) = join([part, late, failed]).sweeps[0].cells
    assert joined.taint == "late; failed"
