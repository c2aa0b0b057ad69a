from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from sparktui.errors import StoreError
from sparktui.runner.hosts import LONGEST_FOLDER, control_dir


def test_connections_share_sockets_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = control_dir(Path("data"))
    assert folder == Path("data/ssh")
    assert folder.stat().st_mode & 0o077 == 0


def test_a_data_folder_too_deep_for_a_socket_gets_a_short_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
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
