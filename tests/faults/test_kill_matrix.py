"""Signals to every process of a campaign at random moments: nothing reported complete is lost, and nothing is left.

`SPARKTUI_FAULTS=long` (`make test-faults`) takes minutes, `short` (`.ci/run`) half a minute; without it nothing runs.
`SPARKTUI_FAULTS_SEED` chooses other faults.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.faults.conftest import TALLIES
from tests.faults.matrix.run import run_matrix

FORM = os.environ.get("SPARKTUI_FAULTS", "")
SEED = int(os.environ.get("SPARKTUI_FAULTS_SEED", "1"))
FORMS = {"short": (10, 2), "long": (300, 3)}
"""How many faults, in how many lanes beside each other."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc"),
    pytest.mark.skipif(FORM not in FORMS, reason="takes long: make test-faults, or SPARKTUI_FAULTS=short"),
    pytest.mark.timeout(1800),
]


def test_whatever_is_killed_no_wave_is_lost_and_nothing_is_left(pytestconfig: pytest.Config) -> None:
    count, lanes = FORMS[FORM]
    with tempfile.TemporaryDirectory(prefix="spt-") as folder:  # a socket's name must be short
        tally = run_matrix(Path(folder), SEED, count, lanes)
    pytestconfig.stash[TALLIES].append(tally)
    assert not tally.problems, "\n".join(tally.problems)
    assert (tally.kills, tally.lost, tally.duplicated, tally.leftovers) == (count, 0, 0, 0)
