"""Why a runner ended where the store does not say: only what it said since it was started, or that the disk is full."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from sparktui.runner.detach import RUNNER_LOG, STARTED
from sparktui.runner.last_words import last_words


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    folder = tmp_path / "run" / "1"
    folder.mkdir(parents=True)
    return folder


def written(folder: Path, log: str, at: int) -> None:
    """Have a runner that was started at 1000 write its log at another moment."""
    (folder / RUNNER_LOG).write_text(log)
    (folder / STARTED).touch()
    os.utime(folder / STARTED, (1000, 1000))
    os.utime(folder / RUNNER_LOG, (at, at))


def test_the_last_lines_of_its_log_are_its_last_words(folder: Path) -> None:
    written(folder, "something before\nthe store has no space left\nfree some space\n", 1001)
    assert last_words(1) == "the store has no space left; free some space"


def test_what_a_runner_before_it_said_is_not_of_this_one(folder: Path) -> None:
    written(folder, "the store is locked\nwait\n", 999)
    assert last_words(1) == ""


def test_a_full_disk_that_kept_it_from_saying_anything_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, "", 1001)
    assert last_words(1) == ""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    assert last_words(1).endswith("is full; free some space: what was reported complete is kept")


def test_of_a_campaign_that_never_had_a_runner_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    assert last_words(7) == ""
