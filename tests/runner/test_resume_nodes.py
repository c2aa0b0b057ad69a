"""What a campaign that goes on finds changed around it: another boot, or nodes that cannot be reached."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.runner.campaigns import Owner
from tests.runner.stand_ins import PROFILE, gone, with_stand_ins
from tests.runner.test_resume import CLUSTER, PER_CELL, RACE, change, count, kill_all

EVERY_WAVE = [(name, users, 1, 2, 2) for name in ("on-gf1", "on-gf2") for users in (1, 2)]
BOOT = "/proc/sys/kernel/random/boot_id"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def broken_off(owner: Owner, *, after: str) -> Owner:
    """Start a race over both nodes, and lose everything at once when something is in the store."""
    owner = with_stand_ins(owner)
    started = owner.type("run", owner.profile(PROFILE.format(port=free_port())), "--detach")
    assert started.returncode == 0, started.stderr
    owner.until(lambda: count(owner, after) > 0, after)
    kill_all(owner)
    return owner


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"]).returncode != 0,
    reason="another boot id takes a mount of one's own",
)
def test_after_a_boot_that_has_another_name_the_campaign_goes_on(owner: Owner) -> None:
    owner.type("run", owner.profile(RACE), "--only", "cluster-tp2", "--detach")
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave") >= 2, "two waves")
    kill_all(owner)
    change(owner, "UPDATE launched SET pid = 1, pid_started = pid_started - 86400 WHERE pid IS NOT NULL")
    other = owner.home / "boot"
    other.write_text("11111111-2222-3333-4444-555555555555\n")
    script = f'mount --bind {other} {BOOT} && exec "$@"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", *owner.argv(["resume", "--plain"])]
    done = subprocess.run(words, env=owner.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert owner.rows(PER_CELL) == CLUSTER
    assert count(owner, "SELECT count(*) FROM event WHERE level = 'error'") == 0


def test_a_node_on_which_something_may_be_left_is_waited_for_by_name(owner: Owner) -> None:
    owner = broken_off(owner, after="SELECT count(*) FROM wave")
    back = gone(owner, "gf1")
    refused = owner.type("resume")
    assert refused.returncode == 1
    assert "campaign 1 cannot go on" in refused.stderr
    assert "ssh gf1: ssh: connect to host gf1 port 22: No route to host" in refused.stderr
    assert "`sparktui stop 1` tries again" in refused.stderr
    back.unlink()
    done = owner.type("resume", "--plain")
    assert done.returncode == 0, done.stderr
    assert owner.rows(PER_CELL) == EVERY_WAVE


def test_neither_a_race_nor_a_stop_keeps_a_connection_to_its_nodes(owner: Owner) -> None:
    owner = with_stand_ins(owner)
    let_go = owner.home / "let-go"
    done = owner.type("run", owner.profile(PROFILE.format(port=free_port())), "--only", "on-gf1", "--plain")
    assert done.returncode == 0, done.stderr
    let_go.unlink()
    assert owner.type("stop").returncode == 0
    assert let_go.exists()


def test_what_a_missing_node_serves_is_left_open_and_measured_when_it_is_back(owner: Owner) -> None:
    owner = broken_off(owner, after="SELECT count(*) FROM cell WHERE sweep = 1 AND state = 'done'")
    assert owner.type("stop").returncode == 0
    back = gone(owner, "gf2")
    partly = owner.type("resume", "--plain")
    assert partly.returncode == 1, partly.stderr
    assert "on-gf2: not launched: gf2 cannot be reached: ssh gf2: ssh: connect to host gf2" in partly.stderr
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [("on-gf1", "done"), ("on-gf2", "failed")]
    back.unlink()
    done = owner.type("resume", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["concurrency"] for row in json.loads(done.stdout)["rows"]} == {1, 2}
    assert owner.rows(PER_CELL) == EVERY_WAVE
