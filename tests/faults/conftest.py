"""What the fault tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.faults import tried
from tests.faults.agents import Runner, own_folder
from tests.runner.campaigns import Owner, own_home

Connect = Callable[[Path], Runner]
TALLIES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Have a place for what the kill matrix comes to."""
    config.stash[TALLIES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the very end what was tried, and what came of it."""
    if tallies := config.stash[TALLIES]:
        terminalreporter.section("kill matrix")
        for tally in tallies:
            terminalreporter.line(tally)
    if tried.counts:
        terminalreporter.write_line(tried.summary())


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with own_home(tmp_path) as somebody:
        yield somebody


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
