from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.runner.campaigns import Owner


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """An owner with an empty home, after whom everything is gone."""
    somebody = Owner(tmp_path, {"HOME": str(tmp_path)})
    yield somebody
    for process in psutil.process_iter():
        try:
            if process.environ().get("SPARKTUI_HOME") == str(tmp_path / "data"):
                process.send_signal(signal.SIGKILL)
        except psutil.Error:
            continue
