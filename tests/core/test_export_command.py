from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from sparktui.cli import cli
from sparktui.errors import SparktuiError, UsageError
from sparktui.exporting.names import FORMATS
from sparktui.paths import store_path
from tests.core.exports import RATES
from tests.core.measured import store_campaign


@pytest.fixture(autouse=True)
async def campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return await store_campaign(store_path(), RATES)


def typed(*words: str | Path) -> str:
    """Return what a command prints on stdout; its error where it has one."""
    result = CliRunner().invoke(cli, [str(word) for word in words])
    if isinstance(result.exception, SparktuiError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.csv", "campaign,"), ("a.json", '{"format"'), ("a.md", "# race"), ("a.SVG", "<svg"), ("a.html", "<!DOCTYPE")],
)
def test_a_files_ending_says_its_format(tmp_path: Path, name: str, start: str) -> None:
    typed("export", "last", "-o", tmp_path / name)
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_goes_to_stdout(form: str) -> None:
    assert typed("export", "1", "--format", form, "--topology", "solo")


@pytest.mark.parametrize("form", FORMATS)
def test_a_topology_that_is_not_there_is_refused_before_anything_is_on_stdout(form: str) -> None:
    result = CliRunner().invoke(cli, ["export", "--format", form, "--topology", "nope"])
    assert isinstance(result.exception, UsageError)
    assert result.stdout == ""


def test_a_dash_is_stdout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert typed("export", "--format", "csv", "-o", "-") == typed("export", "--format", "csv")
    with pytest.raises(UsageError, match="no format"):
        typed("export", "-o", "-")
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]


def test_a_named_format_is_stronger_than_the_files_ending(tmp_path: Path) -> None:
    typed("export", "--format", "csv-wide", "-o", tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text(encoding="utf-8").startswith("# name: race")


@pytest.mark.parametrize("words", [("export",), ("export", "-o", "race.txt")])
def test_without_a_format_the_known_ones_are_named(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        typed(*words)
    assert all(form in refused.value.hint for form in FORMATS)


def test_a_published_campaign_needs_no_import(tmp_path: Path) -> None:
    typed("export", "published/gemma4-26b-a4b", "-o", tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(newline="") as file:
        assert {row["source"] for row in csv.DictReader(file)} == {"published"}


def test_a_topology_may_be_named_with_the_campaign() -> None:
    assert json.loads(typed("export", "1/tp2", "--format", "benchy-json"))["sparktui"]["topology"] == "tp2"


def test_nothing_is_written_where_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one topology"):
        typed("export", "--format", "benchy-json", "-o", tmp_path / "a.json")
    with pytest.raises(UsageError, match="no calculator"):
        typed("export", "--calculator", "guess", "-o", tmp_path / "a.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]
