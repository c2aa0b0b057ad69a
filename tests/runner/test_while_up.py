"""What is being measured goes on through a node that cannot be asked for a moment, and not past an engine's end."""

from __future__ import annotations

from typing import cast

import pytest

from sparktui.errors import HostError, LaunchError
from sparktui.runner.while_up import refuse_ended
from sparktui.serving.launch import Deployment


class Answers:
    """A deployment that says what a test wants."""

    def __init__(self, answer: str | HostError | None) -> None:
        self.answer = answer

    async def dead(self) -> str | None:
        if isinstance(self.answer, HostError):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("answer", [None, HostError("ssh gf2: the connection was lost")])
async def test_a_cell_that_is_measured_is_not_lost_with_a_connection(answer: HostError | None) -> None:
    await refuse_ended(cast(Deployment, Answers(answer)))


async def test_an_engine_that_has_ended_behind_a_cell_is_told() -> None:
    with pytest.raises(LaunchError, match="engine on gf2 ended while it was serving"):
        await refuse_ended(cast(Deployment, Answers("engine on gf2")))
