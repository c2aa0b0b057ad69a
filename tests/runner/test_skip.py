"""`sparktui skip`: ends the topology that is up, and never the one after it."""

from __future__ import annotations

from sparktui.store.control import request_control
from tests.runner.campaigns import PROFILE, Owner, into_every_runner


def test_what_is_asked_in_a_topologys_last_moment_does_not_end_the_next(owner: Owner) -> None:
    into_every_runner(owner, "from sparktui.runner import control; control.POLL_S = 3600")
    started = owner.type("run", owner.profile(PROFILE), "--only", "solo,shuffle", "--detach")
    assert started.returncode == 0, started.stderr
    owner.until(lambda: owner.rows("SELECT id FROM wave"), "the first wave")
    request_control(owner.home / "data" / "sparktui.db", 1, "end-topology")
    owner.until(lambda: owner.rows("SELECT id FROM campaign WHERE state = 'done'"), "the end")
    assert owner.rows("SELECT state FROM sweep ORDER BY seq") == [("done",), ("done",)]
    assert owner.rows("SELECT count(*) FROM control, sweep WHERE topology = 'shuffle' AND done <= launched") == [(1,)]
