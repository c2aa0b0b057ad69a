"""The exit code that tells how a campaign went."""

from __future__ import annotations

import pytest

from sparktui.errors import ExitCode
from sparktui.runner.campaign import outcome
from sparktui.runner.sweep import Sweep


def sweep(state: str, **facts: int) -> Sweep:
    return Sweep(1, "solo", (), state=state, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sweeps", "code"),
    [
        ([sweep("done", measured=2)], ExitCode.DONE),
        ([sweep("done", measured=2, failed_cells=1)], ExitCode.PARTIAL),
        ([sweep("failed"), sweep("failed")], ExitCode.LAUNCH),
        ([sweep("failed"), sweep("done", measured=1)], ExitCode.PARTIAL),
        ([sweep("failed", came_up=True)], ExitCode.PARTIAL),
        ([sweep("failed", measured=1)], ExitCode.PARTIAL),
        ([sweep("guard"), sweep("failed")], ExitCode.GUARD),
    ],
)
def test_what_never_came_up_could_not_launch_and_what_did_has_failed_in_part(
    sweeps: list[Sweep], code: ExitCode
) -> None:
    assert outcome(sweeps, stopped=False, guarded=False) is code
    assert outcome(sweeps, stopped=False, guarded=True) is ExitCode.GUARD
    assert outcome(sweeps, stopped=True, guarded=True) is ExitCode.INTERRUPTED
