"""What tests of several folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.sim_engine import SimEngine, sim_engine

for size in ("COLUMNS", "LINES"):  # of whoever runs the tests: tables would be as wide as their terminal
    os.environ.pop(size, None)

# The same cases every time: what fails can be tried again. On a shared machine a case may stand still for longer than
# any deadline: that is no finding.
settings.register_profile(
    "shared-machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimEngine]:
    """A fast simulated engine for every test that leaves it as it was."""
    with sim_engine(tmp_path_factory.mktemp("sim")) as engine:
        yield engine
