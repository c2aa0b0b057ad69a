"""A node that no command ever reached: nothing can be left there, and its remedy is to reach it."""

from __future__ import annotations

from tests.runner.campaigns import Owner
from tests.runner.stand_ins import PROFILE, gone, with_stand_ins
from tests.runner.test_resume import PER_CELL
from tests.runner.test_resume_nodes import EVERY_WAVE, free_port

GUARDED = PROFILE.replace("memory: {{unwatched: allow}}\n", "")
LEFT = "SELECT node FROM launched WHERE gone IS NULL"


def test_of_a_node_that_was_never_reached_nothing_is_left_and_the_race_can_go_on_later(owner: Owner) -> None:
    owner = with_stand_ins(owner)
    back = gone(owner, "gf2")
    done = owner.type("run", owner.profile(GUARDED.format(port=free_port())), "--plain")
    assert done.returncode == 1, done.stderr
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [("on-gf1", "done"), ("on-gf2", "failed")]
    assert owner.rows("SELECT DISTINCT node FROM launched") == [("gf1",)]
    assert owner.rows(LEFT) == []
    assert not list((owner.home / "data").glob("run/*/launched.jsonl"))
    assert "may be left" not in done.stderr
    stopped = owner.type("stop")
    assert (stopped.returncode, "nothing of it is left" in stopped.stderr) == (0, True), stopped.stderr
    back.unlink()
    resumed = owner.type("resume", "--plain")
    assert resumed.returncode == 0, resumed.stderr
    assert owner.rows(PER_CELL) == EVERY_WAVE


def test_where_ssh_fails_the_remedy_is_to_mend_it_and_not_to_go_without_a_guard(owner: Owner) -> None:
    owner = with_stand_ins(owner)
    gone(owner, "gf1")
    gone(owner, "gf2")
    done = owner.type("run", owner.profile(GUARDED.format(port=free_port())), "--plain")
    assert done.returncode == 3, done.stderr
    assert "on-gf2: not launched: the guard of gf2 is not armed: ssh gf2: ssh: connect to host gf2" in done.stderr
    assert "(make `ssh -o BatchMode=yes gf2 true` work)" in done.stderr
    assert "unwatched" not in done.stderr
    assert "campaign 1: failed; `sparktui check PROFILE` says what is missing" in done.stderr
    assert done.stdout.startswith("Nothing was measured\n  on-gf1 failed: not launched: ")
    assert owner.type("delete", "1", "--yes").returncode == 0


def test_a_node_that_was_reached_and_is_gone_at_the_end_is_told_and_looked_at_later(owner: Owner) -> None:
    owner = with_stand_ins(owner)
    started = owner.type("run", owner.profile(GUARDED.format(port=free_port())), "--detach")
    assert started.returncode == 0, started.stderr
    owner.until(lambda: owner.rows("SELECT 1 FROM wave"), "a wave")
    back = gone(owner, "gf2")
    owner.until(lambda: owner.rows("SELECT 1 FROM campaign WHERE finished IS NOT NULL"), "the end")
    assert owner.rows(LEFT) == [("gf2",)]
    assert "the agent of gf2" in owner.type("stop").stderr
    back.unlink()
    assert owner.type("stop").returncode == 0
    assert owner.rows(LEFT) == []


def test_what_a_node_has_not_is_said_before_anything_is_started_there_and_the_others_are_raced(owner: Owner) -> None:
    owner = with_stand_ins(owner)
    two = GUARDED.replace("gf2: {{host: gf2,", "gf2: {{host: gf2, workdir: /nowhere,")
    assert two != GUARDED
    program = owner.home / "bin" / "vllm"
    profile = two.replace("executable: vllm", "executable: ./vllm").replace(
        "gf1: {{host: gf1,", f"gf1: {{{{host: gf1, workdir: {program.parent},"
    )
    done = owner.type("run", owner.profile(profile.format(port=free_port())), "--plain")
    assert done.returncode == 1, done.stderr
    assert "on-gf2: not launched: gf2: program /nowhere/vllm is not there (install it there" in done.stderr
    assert owner.rows("SELECT DISTINCT node FROM launched WHERE title <> 'agent'") == [("gf1",)]
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [("on-gf1", "done"), ("on-gf2", "failed")]
