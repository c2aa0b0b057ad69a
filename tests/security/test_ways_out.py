"""What leaves sparktui by a file: no name in it chooses where, and no secret goes with it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparktui.errors import ProfileError, StoreError, UsageError
from sparktui.paths import ensure_private, run_dir
from sparktui.profile.loader import parse_profile
from sparktui.runner.delete import _remove_folder
from sparktui.serving.launch import log_path
from sparktui.store.atomic import write_atomically
from sparktui.ui.app import SparktuiApp
from sparktui.ui.naming import file_stem
from sparktui.ui.whose import Whose
from tests.core.good_profile import GOOD
from tests.runner.campaigns import Owner
from tests.runner.locked_server import LockedServer, locked_server

KEY = "sk-on-no-picture-4d2a"
ELSEWHERE = ("../../etc/passwd", "/etc/passwd", "..", "a/../../b", "~/.ssh/authorized_keys", "a\0b", "\u2215etc\u2215x")


@pytest.fixture
def server() -> Iterator[LockedServer]:
    with locked_server(KEY) as running:
        yield running


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_campaigns_name_chooses_no_folder(name: str) -> None:
    stem = file_stem((Whose(name, 1, "imported"),), "live", 0.0)
    assert Path("/exports", stem).parent == Path("/exports")
    assert stem.isascii()
    assert stem.isprintable()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_name_of_a_profile_is_a_path(name: str) -> None:
    for old, new in (("name: two", f"name: {json.dumps(name)}"), ("solo:", f"{json.dumps(name)}:")):
        assert old in GOOD
        with pytest.raises(ProfileError):
            parse_profile(GOOD.replace(old, new), "it")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_name_in_an_imported_file_is_a_path(owner: Owner, name: str) -> None:
    (owner.home / "precious").write_text("kept")
    shown = json.dumps(name.replace("\0", " "))[1:-1]
    table = f"metric,unit,better,concurrency,{shown},b\ndecode,tok/s,higher,1,1,2\n"
    (owner.home / "table.csv").write_text(table)
    imported = owner.type("import", str(owner.home / "table.csv"), "--name", name.replace("\0", " "))
    assert imported.returncode in (0, 1, 2), imported.stderr
    if imported.returncode == 0:
        for form in ("json", "html", "csv"):
            assert (
                owner.type("export", "last", "-o", str(owner.home / "data" / "out"), "--format", form).returncode == 0
            )
        owner.type("show", "last")
        assert owner.type("delete", "last", "--yes").returncode == 0
    there = {path.relative_to(owner.home).parts[0] for path in owner.home.rglob("*")}
    assert there <= {"precious", "table.csv", "data"}
    assert {path.name for path in (owner.home / "data").rglob("*")} <= {
        "sparktui.db",
        "sparktui.db-wal",
        "sparktui.db-shm",
        "out",
    }
    assert (owner.home / "precious").read_text() == "kept"


def test_a_log_stays_in_its_campaigns_folder(tmp_path: Path) -> None:
    assert log_path(tmp_path, "solo", "engine on gf1").parent == tmp_path


@pytest.mark.parametrize("there", ["link", "dangling link", "folder", "pipe"])
def test_nothing_is_written_through_what_somebody_put_in_the_way(tmp_path: Path, there: str) -> None:
    (tmp_path / "precious").write_text("kept")
    target = tmp_path / "export.json"
    match there:
        case "link":
            target.symlink_to(tmp_path / "precious")
        case "dangling link":
            target.symlink_to(tmp_path / "new")
        case "folder":
            target.mkdir()
        case _:
            os.mkfifo(target)
    with pytest.raises(UsageError):
        write_atomically(target, [b"overwritten"])
    assert (tmp_path / "precious").read_text() == "kept"
    assert not (tmp_path / "new").exists()


def test_deleting_a_campaign_follows_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("kept")
    ensure_private(run_dir(7).parent)
    run_dir(7).symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError):
        _remove_folder(7)
    run_dir(7).unlink()
    ensure_private(run_dir(7))
    (run_dir(7) / "link").symlink_to(tmp_path / "precious")
    _remove_folder(7)
    assert (tmp_path / "precious" / "file").read_text() == "kept"


async def test_no_picture_holds_a_key(
    owner: Owner, server: LockedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.env["THE_KEY"] = KEY
    load = ("--concurrency", "1", "--pp", "16", "--tg", "4", "--runs", "1", "--model", "m")
    done = owner.type("bench", server.url, *load, "--api-key-env", "THE_KEY", "--plain")
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("THE_KEY", KEY)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path / "data"))
    app = SparktuiApp(tmp_path / "data" / "sparktui.db", 1)
    async with app.run_test(size=(160, 50)) as pilot:
        for key in "123456":
            await pilot.press(key)
            await pilot.pause(0.3)
            assert KEY not in app.export_screenshot()
