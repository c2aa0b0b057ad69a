"""An API key goes to the server, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.campaigns import Owner
from tests.runner.locked_server import LockedServer, locked_server

KEY = "sk-never-to-be-seen-1b7f"
FORMATS = ("csv", "csv-wide", "json", "markdown", "svg", "html", "benchy-json", "benchy-csv", "benchy-md")
LOAD = ("--concurrency", "1,2", "--pp", "16", "--tg", "4", "--runs", "1", "--model", "m")


@pytest.fixture
def server() -> Iterator[LockedServer]:
    with locked_server(KEY) as running:
        yield running


def kept(home: Path) -> list[Path]:
    """Return the files of a data folder that hold the key."""
    return [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.parametrize("place", ["file", "variable"])
def test_a_key_is_sent_and_neither_stored_nor_exported_nor_printed_nor_in_an_argv(
    owner: Owner, server: LockedServer, tmp_path: Path, place: str
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    named = ("--api-key-file", str(tmp_path / "key")) if place == "file" else ("--api-key-env", "THE_KEY")
    if place == "variable":
        owner.env["THE_KEY"] = KEY
    done = owner.type("bench", server.url, *LOAD, *named, "--plain")
    assert done.returncode == 0, done.stdout + done.stderr
    said = [done.stdout, done.stderr]
    for format_name in FORMATS:
        exported = owner.type("export", "last", "--format", format_name)
        assert exported.stdout, exported.stderr
        said += [exported.stdout, exported.stderr]
    said += [owner.type("show", "last").stdout, owner.type("show", "last", "--json").stdout]
    assert not [text for text in said if KEY in text]
    assert kept(tmp_path / "data") == []
    assert any("sparktui.load.worker" in argv for argv in server.argvs)
    assert not [argv for argv in server.argvs if KEY in argv]


@pytest.mark.parametrize("refused", ["/v1/models", "/v1/chat/completions"])
def test_a_key_that_is_refused_is_not_repeated_though_the_server_repeats_it(
    owner: Owner, server: LockedServer, tmp_path: Path, refused: str
) -> None:
    server.refuses = (refused,)
    (tmp_path / "key").write_text(KEY)
    done = owner.type("bench", server.url, *LOAD, "--api-key-file", str(tmp_path / "key"), "--plain")
    assert done.returncode != 0
    assert f"{refused} 401" in server.answered
    shown = owner.type("show", "last").stdout
    assert KEY not in done.stdout + done.stderr + shown
    assert kept(tmp_path / "data") == []
