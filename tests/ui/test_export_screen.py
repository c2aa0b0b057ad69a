"""`e` on every screen: a file of what it shows, named after campaign, screen and time."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from sparktui.cli import cli
from sparktui.exporting.names import BENCHY, FORMATS
from sparktui.load.messages import SLOT_FAILED
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.widgets.masthead import Masthead
from tests.ui.fixture_store import FINISHED, PUBLISHED, Race, build
from tests.ui.viewing import Viewer, finished, recorded, shown, text

Rows = list[dict[str, str]]


async def exported(folder: Path, race: Race, *keys: str) -> tuple[str, dict[str, str], Rows, Snapshot]:
    """Press keys and then `e`; return the file's name, its facts and rows, and what was on the screen."""
    viewer = Viewer(*recorded(folder, race))
    async with viewer.run_test(size=(120, 40)) as pilot:
        await shown(pilot)
        for key in keys:
            await pilot.press(key)
            await shown(pilot)
        await shown(pilot)
        await pilot.press("e")
        await finished(pilot, "export")
        (toast,) = viewer._notifications
    (written,) = folder.glob("*.csv")
    assert toast.message == f"written: {written.name}\nin {folder}"
    assert written.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(written.read_text().splitlines()))
    facts = {row[0].removeprefix("# "): row[1] for row in rows if row[0].startswith("# ")}
    head, *body = [row for row in rows if not row[0].startswith("# ")]
    return written.name, facts, [dict(zip(head, row, strict=True)) for row in body], viewer.snapshot


async def test_live_writes_the_figures_of_the_moment(tmp_path: Path) -> None:
    name, facts, rows, snapshot = await exported(tmp_path, Race(), "2")
    assert name.startswith("sparktui-gemma4-26b-a4b-1-live-2025")
    assert facts["warning"].startswith("SIMULATED")
    assert facts["taken"] == "2025-11-24 16:00:00 UTC"
    told = {(row["what"], row["of"], row["figure"]): row["value"] for row in rows}
    wave, (node, *_), (engine, *_) = snapshot.wave, snapshot.nodes, snapshot.engines
    assert wave is not None
    of = f"{wave.topology} c{wave.concurrency}"
    assert float(told["wave", of, "decode_tps"]) == wave.decode_tps
    assert float(told["wave", of, "ttft_p50_ms"]) == wave.ttft_p50_ms
    assert int(told["wave", of, "requests_failed"]) == wave.slots.count(SLOT_FAILED) == 1
    assert int(told["node", node.name, "mem_available_bytes"]) == node.mem_available_bytes
    assert float(told["engine", engine.backend, "running"]) == engine.running


async def test_once_it_is_over_live_writes_what_it_came_to(tmp_path: Path) -> None:
    _, facts, rows, _ = await exported(tmp_path, FINISHED, "2")
    assert facts["calculator"] == "usage"
    decode = [row["winner"] for row in rows if row["metric"] == "decode"]
    assert decode == ["cluster-tp2"] * 6 + ["shuffle"]


async def test_compare_writes_its_tables_with_the_winners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, facts, rows, _ = await exported(tmp_path, FINISHED, "4")
    assert "-compare-" in name
    assert "shuffle beyond" in facts["crossover"]
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    told = json.loads(CliRunner().invoke(cli, ["show", "--json"]).output)
    for row, said in zip(rows, told["rows"], strict=True):
        assert (row["metric"], int(row["concurrency"])) == (said["metric"], said["concurrency"])
        assert {topology: float(row[topology]) for topology in PUBLISHED} == said["values"]
        assert (row["winner"], row["against"]) == (said["winner"], said["against"])
        assert float(row["margin"]) == said["margin"]
        assert row["tie"] == ("yes" if said["tie"] else "no")
        assert row["tied"] == "; ".join(said["tied"])


async def compared(folder: Path, *selections: str) -> tuple[str, str, str]:
    """Open a simulated campaign, compare others, press `e`; return the top line, the file's name and its content."""
    store, campaign = recorded(folder, FINISHED)
    build(store, Race(finished_topologies=len(PUBLISHED), state="done", source="measured"))
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(160, 40)) as pilot:
        await shown(pilot)
        await viewer.compare_campaigns(selections)
        for _ in range(3):
            await shown(pilot)
        top = text(viewer.screen.query_one(Masthead))
        await pilot.press("e")
        await finished(pilot, "export")
    (written,) = folder.glob("*.csv")
    return top, written.name, written.read_text()


async def test_what_is_published_or_measured_bears_no_mark_of_the_open_simulated_campaign(tmp_path: Path) -> None:
    top, name, content = await compared(tmp_path, "published/gemma4-26b-a4b", "2")
    assert "SIMULATED" not in top + content
    assert "PUBLISHED" in top
    assert "gemma4-26b-a4b #2" in top
    assert "# campaign,published/gemma4-26b-a4b\n# source,published\n" in content
    assert "# campaign,2 gemma4-26b-a4b\n# source,measured\n" in content
    assert name.startswith("sparktui-2-campaigns-compare-")


async def test_a_published_campaign_alone_is_what_its_file_is_called_after(tmp_path: Path) -> None:
    _, name, _ = await compared(tmp_path, "published/gemma4-26b-a4b")
    assert name.startswith("sparktui-published_gemma4-26b-a4b-compare-")


async def test_of_several_campaigns_those_that_were_simulated_say_so_and_the_others_do_not(tmp_path: Path) -> None:
    top, _, content = await compared(tmp_path, "2", "1")
    assert re.search(r"SIMULATED +gemma4-26b-a4b #1 · gemma4-26b-a4b #2", top)
    warning, *facts = [line for line in content.splitlines() if "SIMULATED" in line]
    assert re.fullmatch(r'# warning,"?SIMULATED: .*: gemma4-26b-a4b #1"?', warning)
    (columns,) = csv.reader(facts)
    assert columns == [
        "# columns of gemma4-26b-a4b #1, SIMULATED",
        "1/solo; 1/cluster-tp2; 1/cluster-tp2-ray; 1/shuffle",
    ]


async def test_history_writes_no_campaign_above_those_of_every_campaign(tmp_path: Path) -> None:
    _, facts, rows, _ = await exported(tmp_path, FINISHED, "6")
    assert {"campaign", "warning"}.isdisjoint(facts)
    assert [row["source"] for row in rows] == ["SIMULATED", "published"]


async def test_with_nothing_to_write_it_says_so(tmp_path: Path) -> None:
    nothing = Race(finished_topologies=0, done_levels=0, done_waves=0)
    viewer = Viewer(*recorded(tmp_path, nothing))
    async with viewer.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shown(pilot)
        await pilot.press("e")
        await finished(pilot, "export")
        (toast,) = viewer._notifications
    assert "nothing to write" in toast.message
    assert not list(tmp_path.glob("*.csv"))


async def test_the_palette_writes_the_whole_campaign_in_every_format(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        await shown(pilot)
        offered = {command.title: command.callback for command in viewer.get_system_commands(viewer.screen)}
        for form in FORMATS:
            offered[f"Export everything: {form}" + (" of solo" if form in BENCHY else "")]()
            await finished(pilot, "export")
    written = {path.name.partition("-20251124-")[2].partition(".")[2] for path in tmp_path.glob("sparktui-*-campaign*")}
    assert written == {"csv", "wide.csv", "json", "md", "svg", "html", "benchy.json", "benchy.csv", "benchy.md"}
