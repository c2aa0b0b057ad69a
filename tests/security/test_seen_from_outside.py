"""A whole campaign, looked at from outside while it runs: files, command lines, sockets."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.runner.campaigns import DEADLINE_S, PROFILE, Owner
from tests.security.outside import LOOPBACK, Seen
from tests.security.two_hosts import two_hosts

OPEN_UMASK = 0o000
ENGINES = {"sparktui.sim.engine", "sparktui.sim.router"}
OURS = {"sparktui", "sparktui.runner", "sparktui.load.worker", "sparktui.nodes.agent", *ENGINES}
SECRET = "sk-of-the-environment-7c1e"


def watched(owner: Owner, *words: str) -> Seen:
    """Run a command to its end and look at everything all the while."""
    seen = Seen()
    before = os.umask(OPEN_UMASK)
    try:
        process = owner.start(*words)
    finally:
        os.umask(before)
    deadline = time.monotonic() + DEADLINE_S
    while process.poll() is None:
        assert time.monotonic() < deadline
        seen.look(owner)
        time.sleep(0.05)
    said = process.communicate()
    assert process.returncode == 0, said
    assert SECRET not in "".join(said)
    seen.look(owner)
    return seen


def test_of_a_race_behind_a_router_nothing_is_to_be_seen_or_reached_by_others(owner: Owner) -> None:
    owner.env["OPENAI_API_KEY"] = SECRET
    profile = PROFILE.replace("tg: 8", "tg: 32")
    seen = watched(owner, "run", owner.profile(profile), "--only", "shuffle", "--plain")
    assert seen.modules >= OURS
    assert seen.open_paths == {}
    assert {module for module, _ in seen.listening} == ENGINES
    assert {address for _, address in seen.listening} <= set(LOOPBACK)
    assert not [argv for argv in seen.argvs if SECRET in argv]
    assert not [path for path in kept(owner.home) if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("by_ssh", [False, True], ids=["local router", "router by ssh"])
def test_a_routers_key_is_nowhere_but_with_the_router(owner: Owner, tmp_path: Path, by_ssh: bool) -> None:
    hosts = two_hosts(tmp_path / "hosts", router_by_ssh=by_ssh)
    owner.env["PATH"] = hosts.path
    seen = watched(owner, "run", str(hosts.profile), "--plain")
    key = hosts.key_given
    assert key.startswith("sk-")
    assert len(key) > 20
    said = [owner.type("show", "last").stdout, owner.type("run", str(hosts.profile), "--dry-run").stdout]
    said += [owner.type("export", "last", "--format", form).stdout for form in ("csv", "json", "html", "markdown")]
    assert all(said)
    assert not [text for text in said if key in text]
    assert not [argv for argv in seen.argvs if key in argv]
    assert key not in hosts.ssh_argvs
    assert ("bin/litellm" in hosts.ssh_argvs) is by_ssh
    assert [path for path in kept(owner.home) if key.encode() in path.read_bytes()] == [hosts.folder / "key-given"]
    assert {address for _, address in seen.listening} == {"127.0.0.1", "127.0.0.2"}  # as its nodes are called
    assert seen.open_paths == {}


def kept(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_what_is_launched_keeps_its_users_umask(owner: Owner) -> None:
    """An engine's downloads are shared with whom the user shares them; only what is ours is closed."""
    profile = owner.profile(
        """
name: launched
nodes: {gf1: {host: local}}
model: {id: m}
serving: {launcher: vllm, executable: %s}
topologies: {solo: {kind: solo, nodes: [gf1]}}
workload: {pp: 16, tg: 4, concurrency: [1], runs: 1, warmup_waves: 0}
"""
        % (owner.home / "vllm")
    )
    (owner.home / "vllm").write_text(f"#!/bin/sh\numask >{owner.home}/umask.txt\nexit 3\n")
    (owner.home / "vllm").chmod(0o755)
    before = os.umask(0o027)
    try:
        done = owner.type("run", profile, "--plain")
    finally:
        os.umask(before)
    assert (owner.home / "umask.txt").exists(), done.stderr
    assert (owner.home / "umask.txt").read_text().strip() == "0027"
    seen = Seen()
    seen.look_at_files(owner.home / "data")
    assert seen.open_paths == {}
