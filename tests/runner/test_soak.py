"""A campaign of half an hour, with its steps made short: nobody who takes part in it holds more and more."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

import pytest

from tests.bench.soak import MIB, soak

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc"), pytest.mark.timeout(300)]
MOST = {"runner": 3, "worker": 2, "agent": 1, "viewer": 4}
"""MiB, from the second quarter to the last; what the runner kept of each wave was 80 KB."""


def test_memory_files_and_lag_do_not_grow_with_the_waves() -> None:
    with tempfile.TemporaryDirectory(prefix="spt-") as folder:
        found = soak(Path(folder), 64, 40.0)
    grown = {name: held.grown() for name, held in found.held.items()}
    assert {name: rss / MIB for name, (rss, _) in grown.items() if rss > MOST.get(name, 8) * MIB} == {}
    assert {name: files for name, (_, files) in grown.items() if files > 1} == {}
    quarter = len(found.lag_ms) // 4
    assert median(found.lag_ms[-quarter:]) < 3 * median(found.lag_ms[:quarter]) + 5
