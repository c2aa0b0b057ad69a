"""Signals to every process of a campaign at random moments: nothing reported complete is lost, and nothing is left.

`SPARKTUI_FAULTS=long` (`make test-faults`) takes minutes, `short` (`.ci/run`) half a minute; without it nothing runs.
`SPARKTUI_FAULTS_SEED` chooses other faults; `SPARKTUI_FAULTS=ssh` tries only those over ssh, which need root.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.faults.conftest import TALLIES
from tests.faults.matrix.run import run_matrix
from tests.two_nodes import missing

FORM = os.environ.get("SPARKTUI_FAULTS", "")
SEED = int(os.environ.get("SPARKTUI_FAULTS_SEED", "1"))
FORMS = {"short": (10, 2, 0), "long": (300, 3, 60), "ssh": (0, 0, 100)}
"""How many faults on this machine, in how many lanes beside each other; how many over ssh, in a lane beside those."""

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc"),
    pytest.mark.skipif(FORM not in FORMS, reason="takes long: make test-faults, or SPARKTUI_FAULTS=short"),
    pytest.mark.timeout(1800),
]


def test_whatever_is_killed_no_wave_is_lost_and_nothing_is_left(pytestconfig: pytest.Config) -> None:
    count, lanes, over_ssh = FORMS[FORM]
    why_not = missing()
    with tempfile.TemporaryDirectory(prefix="spt-") as folder:  # a socket's name must be short
        tallies = run_matrix(Path(folder), SEED, count, lanes, 0 if why_not else over_ssh)
    told = pytestconfig.stash[TALLIES]
    told += [str(tally) for tally in tallies if tally.kills]
    if over_ssh and why_not:
        told.append(f"ssh: not tried, {why_not}")
    problems = [problem for tally in tallies for problem in tally.problems]
    assert not problems, "\n".join(problems)
    assert sum(tally.kills for tally in tallies) == count + (0 if why_not else over_ssh)
    assert {(tally.lost, tally.duplicated, tally.leftovers) for tally in tallies} == {(0, 0, 0)}
