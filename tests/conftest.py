"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sim_engine import SimEngine, sim_engine


@pytest.fixture(scope="session")
def shared_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimEngine]:
    """A fast simulated engine for every test that leaves it as it was."""
    with sim_engine(tmp_path_factory.mktemp("sim")) as engine:
        yield engine
