"""An agent's folder: this user's alone, or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sparktui.nodes.folder import enter

NOBODY = 65534


def test_a_folder_is_made_for_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = enter(tmp_path / "agents" / "gf1")
    assert Path.cwd() == found
    assert found.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
@pytest.mark.parametrize("by_link", [False, True])
def test_a_folder_of_somebody_else_is_not_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_link: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, NOBODY, NOBODY)
    link = tmp_path / "link"
    link.symlink_to(theirs)
    with pytest.raises(PermissionError, match="belongs to another user"):
        enter(link if by_link else theirs)
    assert Path.cwd() == tmp_path
    assert theirs.stat().st_mode & 0o777 == 0o755
