"""`sparktui skip`: ends the topology that was meant, and never another."""

from __future__ import annotations

from sparktui.store.control import request_control
from tests.runner.campaigns import PROFILE, UNTIL_STOPPED, Owner, into_every_runner


def test_what_is_asked_in_a_topologys_last_moment_does_not_end_the_next(owner: Owner) -> None:
    into_every_runner(
        owner,
        "from sparktui.runner import control, sweep; from sparktui.store.control import request_control as ask;"
        " control.POLL_S = 3600; told = sweep.SweepRunner._take_down;"
        " sweep.SweepRunner._take_down = lambda self, one, *more:"
        " [one.topology == 'solo' and ask(self.journal.writer.path, 1, 'end-topology'), told(self, one, *more)][1]",
    )
    up(owner, PROFILE)
    owner.until(lambda: owner.rows("SELECT id FROM campaign WHERE state = 'done'"), "the end")
    assert owner.rows("SELECT state FROM sweep ORDER BY seq") == [("done",), ("done",)]
    assert owner.rows("SELECT count(*) FROM control, sweep WHERE sweep.topology = 'shuffle' AND done <= launched") == [
        (1,)
    ]


def test_one_that_is_not_up_is_not_ended_and_neither_is_the_one_that_is(owner: Owner) -> None:
    up(owner, UNTIL_STOPPED)
    ask_to_end(owner, "shuffle")
    owner.until(lambda: owner.rows("SELECT text FROM event WHERE kind = 'not-up'"), "the answer")
    assert "shuffle" in str(owner.rows("SELECT text FROM event WHERE kind = 'not-up'"))
    assert owner.rows("SELECT state FROM sweep ORDER BY seq") == [("measuring",), ("waiting",)]
    skipped = owner.type("skip")
    assert skipped.returncode == 0, skipped.stderr
    owner.until(lambda: owner.rows("SELECT id FROM sweep WHERE topology = 'shuffle' AND ready > 0"), "the next")
    assert owner.rows("SELECT state, error FROM sweep WHERE topology = 'solo'") == [
        ("stopped", "asked to go on with the next topology")
    ]
    assert owner.type("stop").returncode == 0


def test_one_that_was_ended_stays_so_though_its_runner_dies_as_it_is_taken_down(owner: Owner) -> None:
    into_every_runner(
        owner,
        "import asyncio; from sparktui.serving.launch import Deployment;"
        " Deployment.stop = lambda self: asyncio.sleep(3600)",
    )
    up(owner, UNTIL_STOPPED)
    assert owner.type("skip").returncode == 0
    owner.until(lambda: owner.rows("SELECT id FROM event WHERE kind = 'ended-end-topology'"), "the end of its load")
    ended = "SELECT ended_by FROM cell, sweep ON cell.sweep = sweep.id AND topology = 'solo'"
    owner.until(lambda: owner.rows(ended) == [("its topology was ended early, as asked",)] * 2, "its cells' end")
    (runner,) = (one for one in owner.processes_found() if "sparktui.runner" in one.cmdline())
    runner.kill()
    del owner.env["PYTHONPATH"]
    resumed = owner.type("resume", "--detach")
    assert resumed.returncode == 0, resumed.stderr
    owner.until(lambda: owner.rows("SELECT id FROM sweep WHERE topology = 'shuffle' AND ready > 0"), "the next")
    assert owner.rows("SELECT state FROM sweep WHERE topology = 'solo'") == [("stopped",)]
    assert owner.type("stop").returncode == 0


def up(owner: Owner, profile: str) -> None:
    """Start a race of two topologies, and wait until the first is measured."""
    started = owner.type("run", owner.profile(profile), "--only", "solo,shuffle", "--detach")
    assert started.returncode == 0, started.stderr
    owner.until(lambda: owner.rows("SELECT id FROM wave"), "the first wave")


def ask_to_end(owner: Owner, topology: str | None) -> None:
    """Ask as fast as a viewer does."""
    request_control(owner.home / "data" / "sparktui.db", 1, "end-topology", topology)
