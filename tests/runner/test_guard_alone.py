"""A guard that acts while no runner is there: whoever cleans up afterwards is told, and so is the campaign's end."""

from __future__ import annotations

import os
import signal

from tests.runner.campaigns import PROFILE, Owner

COLLAPSE = PROFILE.replace("load_seconds: 0.2", "load_seconds: 4, fault: gf1-collapse")


def test_a_stop_after_the_runners_death_is_the_campaigns_end(owner: Owner) -> None:
    owner.type("run", owner.profile(COLLAPSE), "--only", "cluster-tp2", "--detach")
    owner.until(lambda: len(owner.rows("SELECT 1 FROM launched WHERE pid IS NOT NULL")) == 2, "both ranks")
    os.kill(int((owner.home / "data" / "runner.lock").read_text().split()[1]), signal.SIGKILL)
    flight = owner.home / "data" / "run" / "1" / "agents" / "gf1" / "samples.jsonl"
    owner.until(lambda: b'"done":true' in flight.read_bytes(), "the end of the stop")
    assert owner.rows("SELECT kind FROM event WHERE kind LIKE 'guard-%'") == []
    assert "agents may know more than the store: `sparktui stop 1` fetches that" in owner.type("nodes").stderr
    done = owner.type("stop")
    assert done.returncode == 0, done.stderr
    assert "stopped by the memory guard, after the runner had ended: gf1 has " in done.stderr
    assert owner.rows("SELECT state, exit_code FROM campaign") == [("guard", 4)]
    ((state, error),) = owner.rows("SELECT state, error FROM sweep")
    assert state == "guard"
    assert error.startswith("gf1 has ")
    kinds = [kind for (kind,) in owner.rows("SELECT kind FROM event WHERE kind LIKE 'guard-%' ORDER BY id")]
    assert [kind for kind in kinds if kind != "guard-clear"][-2:] == ["guard-stop", "guard-done"]
    assert owner.type("show", "--json").returncode == 0
    assert "agents may know" not in owner.type("nodes").stderr
    owner.until(lambda: not owner.processes(), "the end of every process")
