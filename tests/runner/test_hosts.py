from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparktui.errors import StoreError
from sparktui.runner.hosts import LONGEST_FOLDER, control_dir, let_go
from sparktui.serving.local import LocalHost
from sparktui.serving.ssh import SshHost


def test_connections_share_sockets_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = control_dir(Path("data"))
    assert folder == Path("data/ssh")
    assert folder.stat().st_mode & 0o077 == 0


def test_a_data_folder_too_deep_for_a_socket_gets_a_short_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", "/full/or/not/there")
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    folder = control_dir(deep)
    try:
        assert len(str(folder)) <= LONGEST_FOLDER
        assert folder.stat().st_mode & 0o077 == 0
        assert control_dir(deep) == folder
        assert control_dir(deep / "other") != folder
        folder.chmod(0o755)
        with pytest.raises(StoreError, match="not only yours"):
            control_dir(deep)
    finally:
        for made in (folder, control_dir(deep / "other")):
            made.rmdir()


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="spt", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with what an `ssh` that is none is given, a line a call."""
    fake, said = tmp_path / "bin" / "ssh", tmp_path / "asked"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >>"{said}"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    return said


async def test_a_connection_is_let_go_of_and_not_cut_off_while_others_use_it(asked: Path, short: Path) -> None:
    await let_go({"gf1": SshHost("spark1", short), "here": LocalHost()})
    (line,) = asked.read_text().splitlines()
    assert f"{short}/%C" in line
    assert line.endswith("-O stop -- spark1")


async def test_the_socket_of_a_connection_that_was_killed_is_removed_and_no_other(asked: Path, short: Path) -> None:
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(short / "live"))
        live.listen()
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(short / "killed"))
        (short / "file").touch()
        await let_go({"gf1": SshHost("spark1", short)})
        assert {path.name for path in short.iterdir()} == {"live", "file"}
