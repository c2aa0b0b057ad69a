"""Which campaign `attach` and `stop` take where none was named: the one that runs, not the newest."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress

from tests.runner.campaigns import UNTIL_STOPPED, Owner


def with_a_newer_one(owner: Owner) -> None:
    """Have campaign 1 run, and import campaign 2 meanwhile."""
    started = owner.type("run", owner.profile(UNTIL_STOPPED), "--only", "solo", "--concurrency", "1", "--detach")
    assert started.returncode == 0, started.stderr
    owner.until(lambda: owner.rows("SELECT id FROM wave"), "the first wave")
    exported = str(owner.home / "so_far.json")
    assert owner.type("export", "1", "-o", exported).returncode == 0
    assert owner.type("import", exported).returncode == 0
    assert owner.rows("SELECT id FROM campaign ORDER BY id") == [(1,), (2,)]


def press_until_over(viewer: subprocess.Popen[str]) -> None:
    """Press Ctrl-C, and again where nothing comes of it: Python drops one that comes while it finalizes an object."""
    for _ in range(10):
        viewer.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            viewer.communicate(timeout=5)
            return
    raise AssertionError("ten times Ctrl-C, and it goes on")


def test_without_a_name_it_is_the_one_that_runs(owner: Owner) -> None:
    with_a_newer_one(owner)
    viewer = owner.start("attach", "--plain")
    assert viewer.stderr is not None
    assert viewer.stderr.readline().startswith("campaign 1:")
    press_until_over(viewer)

    named = owner.type("stop", "last")
    assert named.returncode == 0
    assert "campaign 2 was imported" in named.stderr
    assert "campaign 1 is running" in named.stderr

    stopped = owner.type("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert owner.rows("SELECT state FROM campaign WHERE id = 1") == [("stopped",)]
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_where_none_runs_it_is_the_last(owner: Owner) -> None:
    with_a_newer_one(owner)
    assert owner.type("stop").returncode == 0
    assert "campaign 2 was imported" in owner.type("stop").stderr
    assert owner.type("attach", "--plain").stderr.startswith("campaign 2:")
