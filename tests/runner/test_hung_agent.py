"""An agent that stands still in the middle of a race, in a real campaign: it is replaced, and the guard goes on."""

from __future__ import annotations

import os
import signal

from tests.faults.agents import is_alive
from tests.runner.campaigns import PROFILE, Owner

RACE = PROFILE.replace("pp: 64, tg: 8, concurrency: [1, 2], runs: 2", "pp: 64, tg: 250, concurrency: [1], runs: 6")


def agent_pid(owner: Owner, node: str) -> int:
    return int((owner.home / "data" / "run" / "1" / "agents" / node / "pid").read_text())


def test_an_agent_that_stands_still_is_replaced_and_the_race_goes_on_guarded(owner: Owner) -> None:
    owner.type("run", owner.profile(RACE), "--only", "solo", "--detach")
    owner.until(lambda: owner.rows("SELECT 1 FROM wave"), "the first wave")
    stopped = agent_pid(owner, "gf2")
    os.kill(stopped, signal.SIGSTOP)
    owner.until(lambda: owner.rows("SELECT 1 FROM event WHERE kind = 'agent-restarted'"), "another agent")
    assert not is_alive(stopped)
    assert agent_pid(owner, "gf2") != stopped
    armed = "SELECT count(*) FROM node_sample WHERE node = 'gf2' AND phase = 'serving'"
    before = owner.rows(armed)[0][0]
    owner.until(lambda: owner.rows(armed)[0][0] > before, "a sample of an agent that knows what goes on")
    assert owner.type("stop").returncode == 0
    assert owner.rows("SELECT state FROM sweep") == [("stopped",)]
    ((text,),) = owner.rows("SELECT text FROM event WHERE kind = 'agent-restarted'")
    assert text.startswith("gf2: its agent hung, was killed, and was started again: gf2 last seen ")
    owner.until(lambda: not owner.processes(), "the end of every process")
