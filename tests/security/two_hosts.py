"""A race on two hosts of its own choosing: programs named vllm and litellm, an `ssh` that stays on this machine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.sim_engine import free_port

PROFILE = """
name: routed
nodes: {{gf1: {{host: {gf1}, address: 127.0.0.1}}, gf2: {{host: {gf2}, address: 127.0.0.2}}}}
model: {{id: m}}
serving: {{launcher: vllm, executable: {folder}/bin/vllm, port: {engine_port}}}
topologies:
  shuffle:
    {{kind: replicas, nodes: [gf1, gf2], router: {{executable: {folder}/env/bin/litellm, port: {router_port}}}}}
workload: {{pp: 64, tg: 32, concurrency: [1, 2], runs: 2, warmup_waves: 0}}
memory: {{unwatched: allow}}
"""
SSH = """#!/bin/bash
printf '%s ' "$@" >> {folder}/ssh-argvs
exec bash -c "${{@: -1}}"
"""
VLLM = """#!/bin/sh
shift 2
exec {python} -m sparktui.sim.engine --topology solo --node "$2" --model m --state-dir {folder}/state \
    --load-seconds 0.1 "$@"
"""
LITELLM = """#!/bin/sh
printf %s "$LITELLM_MASTER_KEY" > {folder}/key-given
shift 2
exec {python} -m sparktui.sim.router --model m \
    --backend gf1=http://127.0.0.1:{engine_port} --backend gf2=http://127.0.0.2:{engine_port} "$@"
"""


@dataclass(frozen=True, slots=True)
class TwoHosts:
    """Where its programs are, and what they saw."""

    folder: Path
    profile: Path

    @property
    def path(self) -> str:
        """Where programs are looked for."""
        return f"{self.folder / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"

    @property
    def key_given(self) -> str:
        """The key that the router was given."""
        return (self.folder / "key-given").read_text(encoding="ascii")

    @property
    def ssh_argvs(self) -> str:
        """All that `ssh` was given on its command lines."""
        return (self.folder / "ssh-argvs").read_text(encoding="utf-8")


def two_hosts(folder: Path, *, router_by_ssh: bool) -> TwoHosts:
    """Make the programs and the profile; the router runs on the first node."""
    gf1, gf2 = ("gf1.invalid", "local") if router_by_ssh else ("local", "gf2.invalid")
    named = {
        "gf1": gf1,
        "gf2": gf2,
        "folder": folder,
        "python": sys.executable,
        "engine_port": free_port(),
        "router_port": free_port(),
    }
    for place, text in (("bin/ssh", SSH), ("bin/vllm", VLLM), ("env/bin/litellm", LITELLM)):
        program = folder / place
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text.format(**named), encoding="utf-8")
        program.chmod(0o755)
    (folder / "env/lib/python3.12/site-packages/litellm-1.84.0.dist-info").mkdir(parents=True)
    profile = folder / "routed.yaml"
    profile.write_text(PROFILE.format(**named), encoding="utf-8")
    return TwoHosts(folder, profile)
