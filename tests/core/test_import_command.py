from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sparktui.cli import cli
from sparktui.errors import ImportFileError, SparktuiError, UsageError
from sparktui.paths import store_path
from sparktui.store.reader import Reader
from tests.core.imports import SAMPLES, raw

BENCHY = SAMPLES / "llama-benchy-0.3.5.json"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path / "home"))
    return tmp_path


def typed(*words: str | Path) -> str:
    """Return what a command prints on stdout; its error where it has one."""
    result = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=True)
    if isinstance(result.exception, SparktuiError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def topologies(campaign: int) -> list[str]:
    with Reader(store_path()) as reader:
        return [sweep.topology for sweep in reader.sweeps(campaign)]


def test_a_file_becomes_a_campaign_named_after_it() -> None:
    assert typed("import", BENCHY).startswith(
        "campaign 1: llama-benchy-0.3.5 · imported · llama-benchy-0.3.5 · 2 cells"
    )
    assert "llama-benchy-0.3.5" in typed("list")


def test_several_files_become_one_campaign_with_the_topologies_as_told(home: Path) -> None:
    other = home / "b.json"
    other.write_bytes(BENCHY.read_bytes())
    shown = json.loads(typed("import", BENCHY, other, "--topology", "solo,cluster-tp2", "--name", "pair", "--json"))
    assert (shown["id"], shown["name"], shown["source"]) == (1, "pair", "imported")
    assert topologies(1) == shown["topologies"] == ["solo", "cluster-tp2"]


def test_one_bad_file_of_several_leaves_nothing_behind(home: Path) -> None:
    bad = home / "bad.json"
    bad.write_bytes(BENCHY.read_bytes()[:900])
    with pytest.raises(ImportFileError, match=r"bad\.json.*byte 900"):
        typed("import", BENCHY, bad)
    assert not store_path().exists()


def test_only_a_files_name_is_stored_never_where_it_lay(home: Path) -> None:
    typed("import", BENCHY)
    with Reader(store_path()) as reader:
        origin = reader.campaign(1).origin
    assert origin is not None
    assert json.loads(origin)["sources"][0]["file"] == BENCHY.name
    assert str(SAMPLES) not in origin


def test_a_format_and_a_version_can_be_told() -> None:
    typed("import", SAMPLES / "llama-benchy-0.3.5.csv", "--format", "benchy-csv", "--tool-version", "0.3.5")
    with Reader(store_path()) as reader:
        assert '"calculator":"benchy-0.3.5"' in reader.sweeps(1)[0].fingerprint
    with pytest.raises(UsageError, match="no format 'excel'"):
        typed("import", BENCHY, "--format", "excel")
    with pytest.raises(ImportFileError, match=r"missing required field"):
        typed("import", BENCHY, "--format", "vllm-bench")


@pytest.mark.parametrize("words", [("--topology", "a,b"), ("--topology", "a", str(SAMPLES / "vllm-bench-0.32.json"))])
def test_there_are_as_many_topologies_as_files(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="topologies for"):
        typed("import", BENCHY, *words)


def test_a_file_of_several_topologies_cannot_be_given_one_name(home: Path) -> None:
    table = home / "table.csv"
    table.write_text("metric,unit,better,concurrency,a,b\ndecode,tok/s,higher,1,1,2\n")
    with pytest.raises(ImportFileError, match=r"has 2 topologies \(a, b\)"):
        typed("import", table, "--topology", "solo")


def test_a_simulated_export_is_called_so(home: Path) -> None:
    table = home / "table.csv"
    table.write_text("metric,unit,better,concurrency,a,b,source\ndecode,tok/s,higher,1,1,2,simulated\n")
    assert "SIMULATED" in typed("import", table)


def test_list_shows_the_published_campaigns_that_can_be_compared_with() -> None:
    assert "published/gemma4-26b-a4b" in typed("list")
    assert "2026-04-06" in typed("list")


def test_an_imported_campaign_can_be_shown_and_attached_to_although_it_has_no_profile(home: Path) -> None:
    table = home / "table.csv"
    table.write_bytes(b"metric,unit,better,concurrency,solo,tp2\ndecode,tok/s,higher,1,10,12\n")
    typed("import", table)
    shown = json.loads(typed("show", "last", "--json"))
    (row,) = [row for row in shown["rows"] if row["metric"] == "decode"]
    assert (row["winner"], row["decided_by"]) == ("tp2", "threshold")
    assert "tp2" in typed("attach", "last", "--plain")


def test_a_campaign_made_of_a_progress_stream_has_its_tables() -> None:
    typed("import", SAMPLES / "llama-benchy-0.4.0-progress.jsonl")
    shown = json.loads(typed("show", "last", "--json"))
    assert {row["concurrency"] for row in shown["rows"] if row["metric"] == "decode"} == {1, 4}


def test_the_samples_hold_no_path_of_the_machine_they_were_made_on() -> None:
    for sample in SAMPLES.iterdir():
        assert not any(mark in raw(sample.name) for mark in (b"/root/", b"/home/", b"/tmp/"))


def test_stopping_an_imported_campaign_reaches_for_no_node_whatever_its_file_names(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reached(campaign: int) -> list[str]:
        raise AssertionError(f"campaign {campaign} was cleaned up after")

    monkeypatch.setattr("sparktui.runner.stop.clean_up", reached)
    typed("import", BENCHY)
    assert typed("stop", "last") == ""
