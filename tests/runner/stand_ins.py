"""Nodes behind an `ssh` that is none, with a `vllm` that is the embedded engine: they can be gone, and come back."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.runner.campaigns import Owner

SSH = """#!/bin/sh
for word; do
    [ "$word" = -O ] && { echo "$command" >>"$HOME/let-go"; exit 0; }
    destination=$command; command=$word
done
[ -e "$HOME/gone-$destination" ] &&
    { echo "ssh: connect to host $destination port 22: No route to host" >&2; exit 255; }
exec sh -c "$command"
"""
VLLM = f"""#!{sys.executable}
import os, sys
given = sys.argv[1:]
value = lambda name: given[given.index(name) + 1]
words = ["--topology", "solo", "--node", "gf", "--model", given[1]]
words += ["--host", value("--host"), "--port", value("--port")]
words += ["--state-dir", os.path.join(os.environ["HOME"], "engines"), "--load-seconds", "0.05"]
os.execv({sys.executable!r}, [{sys.executable!r}, "-m", "sparktui.sim.engine", *words])
"""
PROFILE = """
name: two-nodes
nodes:
  gf1: {{host: gf1, address: 127.0.0.1}}
  gf2: {{host: gf2, address: 127.0.0.1}}
model: {{id: m}}
serving: {{launcher: vllm, executable: vllm, port: {port}}}
memory: {{unwatched: allow}}
topologies:
  on-gf1: {{kind: solo, nodes: [gf1]}}
  on-gf2: {{kind: solo, nodes: [gf2]}}
workload: {{pp: 64, tg: 24, concurrency: [1, 2], runs: 2, warmup_waves: 1}}
"""


def with_stand_ins(owner: Owner) -> Owner:
    """Return the owner with both programs first on the PATH."""
    folder = owner.home / "bin"
    folder.mkdir()
    for name, text in (("ssh", SSH), ("vllm", VLLM)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    python = Path(sys.executable).parent
    return Owner(owner.home, {**owner.env, "PATH": f"{folder}:{shlex.quote(str(python))}:{os.environ['PATH']}"})


def gone(owner: Owner, node: str) -> Path:
    """Have a node be gone; it is back when the file is removed."""
    flag = owner.home / f"gone-{node}"
    flag.touch()
    return flag
