from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.campaigns import Owner, own_home


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    with own_home(tmp_path) as somebody:
        yield somebody
