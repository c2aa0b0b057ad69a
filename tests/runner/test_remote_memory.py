from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sparktui.errors import HostError
from sparktui.profile.model import GIB
from sparktui.runner import remote_memory
from sparktui.runner.remote_memory import available, back
from sparktui.serving.host import Completed
from sparktui.serving.local import LocalHost


class Node(LocalHost):
    """A node that has more left each time it is asked; None: it cannot be asked."""

    def __init__(self, *left_gib: float | None) -> None:
        self.left = list(left_gib)

    async def run(self, argv: Sequence[str], **_: Any) -> Completed:
        left = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if left is None:
            raise HostError("ssh gf2: no route to host")
        return Completed(0, f"MemTotal: 127600748 kB\nMemAvailable: {int(left * GIB / 1024)} kB\n", "")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_memory, "POLL_S", 0.0)


async def test_a_node_that_cannot_be_asked_is_left_out() -> None:
    assert await available({"gf1": Node(100), "gf2": Node(None)}, ("gf1", "gf2")) == {"gf1": 100 * GIB}


async def test_memory_is_waited_for_until_it_is_back_within_the_band() -> None:
    node = Node(40, 80, 98.5)
    assert await back({"gf1": node}, {"gf1": 100 * GIB}) == []
    assert node.left == [98.5]


async def test_memory_that_does_not_come_back_is_named() -> None:
    assert await back({"gf1": Node(40)}, {"gf1": 100 * GIB}, timeout_s=0) == ["gf1"]


async def test_a_node_that_cannot_be_asked_is_not_waited_for() -> None:
    assert await back({"gf2": Node(None)}, {"gf2": 100 * GIB}) == []
