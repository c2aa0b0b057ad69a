"""Small campaigns on the embedded engine, driven through the command line as an owner would."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

DEADLINE_S = 60.0

PROFILE = """
name: small
nodes:
  gf1: {host: simulated, fragile: true}
  gf2: {host: simulated}
model: {id: m, weights_gib: 25.67}
serving: {launcher: simulated, load_seconds: 0.2}
topologies:
  solo: {kind: solo, nodes: [gf2]}
  cluster-tp2: {kind: cluster, nodes: [gf2, gf1]}
  shuffle: {kind: replicas, nodes: [gf1, gf2]}
workload: {pp: 64, tg: 8, concurrency: [1, 2], runs: 2, warmup_waves: 0}
"""
UNTIL_STOPPED = PROFILE.replace("tg: 8", "tg: 40").replace("runs: 2", "runs: 2000")
"""For what is done while a race runs: on a slow machine a short one has ended before it is asked about."""


def profile_with(**sections: dict[str, Any]) -> str:
    """Return the profile above with some keys of some sections set, and those set to None left out."""
    content = yaml.safe_load(PROFILE)
    for name, changed in sections.items():
        merged = {**content.get(name, {}), **changed}
        content[name] = {key: value for key, value in merged.items() if value is not None}
    return str(yaml.safe_dump(content, sort_keys=False))


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with a terminal and a data folder."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def type(self, *words: str, timeout_s: float = DEADLINE_S) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.argv(words),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own."""
        return subprocess.Popen(
            self.argv(words),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def argv(self, words: Sequence[str]) -> list[str]:
        """Return the words that run a command."""
        return [sys.executable, "-m", "sparktui", *words]

    def environment(self) -> dict[str, str]:
        """Return what a command finds in its environment."""
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG")}
        return {**kept, "SPARKTUI_HOME": str(self.home / "data"), **self.env}

    def profile(self, text: str = PROFILE) -> str:
        """Write a profile and return its path."""
        path = self.home / "small.yaml"
        path.write_text(text)
        return str(path)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the store; empty before there is one."""
        path = self.home / "data" / "sparktui.db"
        if not path.exists():
            return []
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []
        finally:
            connection.close()

    def until(self, happened: Callable[[], object], what: str) -> None:
        """Wait for something, but not for ever."""
        deadline = time.monotonic() + DEADLINE_S
        while not happened():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.02)

    def state(self) -> str:
        """Return the last campaign's state."""
        return str(self.rows("SELECT state FROM campaign ORDER BY id DESC LIMIT 1")[0][0])

    def processes(self) -> list[str]:
        """Return the command lines of everything that was started for this data folder and is still there."""
        return [" ".join(process.info["cmdline"] or []) for process in self.processes_found()]

    def processes_found(self) -> list[psutil.Process]:
        """Return everything that was started for this data folder and is still there."""
        return [
            process
            for process in psutil.process_iter(["pid", "cmdline", "status"])
            if _environment_of(process).get("SPARKTUI_HOME") == str(self.home / "data")
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]


@contextmanager
def own_home(folder: Path) -> Iterator[Owner]:
    """An owner with an empty home, after whom everything is gone."""
    somebody = Owner(folder, {"HOME": str(folder)})
    yield somebody
    for process in somebody.processes_found():
        with suppress(psutil.Error):
            process.send_signal(signal.SIGKILL)


def into_every_runner(owner: Owner, statements: str) -> None:
    """Have every runner execute this before anything of its own."""
    folder = owner.home / "first"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\nif 'sparktui.runner' in sys.orig_argv:\n    {statements}\n")
    owner.env["PYTHONPATH"] = str(folder)


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what a command printed, which must be JSON and nothing else."""
    return json.loads(done.stdout)


def _environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
