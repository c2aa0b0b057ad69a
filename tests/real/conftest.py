"""The real engines: each is started once for all tests, and only where `-m real` asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .environment import Environment, ensure
from .vllm_server import VllmServer, running_vllm


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs a real engine unless the run was asked for it."""
    if "real" in str(config.option.markexpr):
        return
    skip = pytest.mark.skip(reason="needs real engines: make test-real")
    for item in items:
        if item.get_closest_marker("real"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def environment() -> Environment:
    """What `make test-real` installs."""
    return ensure()


@pytest.fixture(scope="session")
def vllm(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """A real vLLM serving a random model."""
    folder: Path = tmp_path_factory.mktemp("vllm")
    with running_vllm(environment, folder / "vllm.log") as server:
        yield server
