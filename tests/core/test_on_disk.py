"""What is promised to be on disk is synced before the call returns, with the folder that names it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sparktui.errors import StoreError
from sparktui.importing import save
from sparktui.importing.formats import read
from sparktui.runner.notes import Note, Notes
from sparktui.store import compaction, control, reopening
from sparktui.store.atomic import write_atomically
from sparktui.store.synced import sync_folder
from tests.core.measured import store_campaign

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is synced is named by /proc")

NOTE = Note("mark", 1, node="gf1", title="engine")
TABLE = b"metric,unit,better,concurrency,solo\ndecode,tok/s,higher,1,10\n"


@contextmanager
def syncs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, bytes]]]:
    """Yield what is synced meanwhile: each name, and what of a file, or which names of a folder, were there then."""
    seen: list[tuple[str, bytes]] = []
    kept = os.fsync

    def fsync(file: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{file}"))
        found = "\n".join(sorted(os.listdir(path))).encode() if path.is_dir() else path.read_bytes()
        seen.append((path.name, found))
        kept(file)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        yield seen


def test_a_note_is_on_disk_with_every_folder_above_it_before_anything_is_launched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes.of(7, tmp_path)
    with syncs(monkeypatch) as seen:
        notes.add(NOTE)
    assert [name for name, _ in seen] == ["launched.jsonl", "7", "run", tmp_path.name]
    assert b'"mark"' in seen[0][1]
    assert [found for _, found in seen[1:]] == [b"launched.jsonl", b"7", b"run"]


def test_a_file_is_synced_before_it_takes_its_place_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    with syncs(monkeypatch) as seen:
        write_atomically(path, [b"new"])
    (beside, content), folder = seen
    assert (beside.endswith(".tmp"), content) == (True, b"new")
    assert folder == (tmp_path.name, b"out.csv")


def failing(number: int) -> Callable[[int], None]:
    def fsync(file: int) -> None:
        if os.path.isdir(f"/proc/self/fd/{file}"):
            raise OSError(number, os.strerror(number))

    return fsync


def test_a_file_system_that_syncs_no_folders_is_borne_and_a_disk_that_fails_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EINVAL))
    sync_folder(tmp_path)
    Notes.of(7, tmp_path).add(NOTE)
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)
    with pytest.raises(StoreError, match="cannot note in"):
        Notes.of(7, tmp_path).add(NOTE)


def _reopened(path: Path) -> None:
    reopening.reopen(path, 1, [1], [1], "goes on")


def _saved(path: Path) -> None:
    save.save(path, read(TABLE, "x.csv"))


def _asked(path: Path) -> None:
    control.request_control(path, 1, "stop")


def _deleted(path: Path) -> None:
    control.delete_campaigns(path, [1])


def _compacted(path: Path) -> None:
    compaction.compact_campaign(path, 1, [])


@pytest.mark.parametrize(
    ("module", "change"),
    [(reopening, _reopened), (save, _saved), (control, _asked), (control, _deleted), (compaction, _compacted)],
)
async def test_whatever_changes_the_store_from_outside_the_runner_is_on_disk_when_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "sparktui.db"
    await store_campaign(path, {"solo": {1: [9.0]}})
    said: list[str] = []
    opened = vars(module)["open_writable"]

    def traced(*given: Any) -> Any:
        connection = opened(*given)
        connection.set_trace_callback(said.append)
        return connection

    monkeypatch.setattr(module, "open_writable", traced)
    change(path)
    begun = said.index("BEGIN IMMEDIATE")
    assert said[begun - 1] == "PRAGMA synchronous=FULL"
    assert "COMMIT" in said[begun:]
