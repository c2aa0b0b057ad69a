"""What the fault tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.faults.agents import Runner, own_folder

Connect = Callable[[Path], Runner]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An agent's folder, not made yet."""
    with own_folder() as path:
        yield path / "agent"


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect to an agent, until the test is over."""
    with ExitStack() as open_ones:
        yield lambda folder: open_ones.enter_context(closing(Runner(folder)))
