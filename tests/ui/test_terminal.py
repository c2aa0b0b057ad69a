"""The app in a real tmux, as an owner has it: start, watch, look around, export, leave, come back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
    pytest.mark.timeout(240),
]

PATIENCE_S = 60.0
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
workload: {pp: 256, tg: 64, concurrency: [1, 8], runs: 400, warmup_waves: 0}
"""


@dataclass(frozen=True, slots=True)
class Pane:
    """One tmux server with one window."""

    socket: Path
    folder: Path

    def tmux(self, *words: str) -> str:
        """Run a tmux command."""
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), "-f", "/dev/null", *words],
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        return done.stdout

    def text(self) -> str:
        """Return what stands on the screen."""
        return self.tmux("capture-pane", "-p", "-t", "0")

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        self.tmux("send-keys", "-t", "0", "-l", line)
        self.tmux("send-keys", "-t", "0", "Enter")

    def press(self, *keys: str) -> None:
        """Press keys."""
        self.tmux("send-keys", "-t", "0", *keys)

    def until(self, holds: Callable[[str], object], what: str) -> str:
        """Look until something holds of the screen; return the screen."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if holds(seen := self.text()):
                return seen
            time.sleep(0.1)
        raise AssertionError(f"never came: {what}\n{self.text()}")

    def until_shown(self, *texts: str) -> str:
        """Look until all texts stand on the screen."""
        return self.until(lambda seen: all(text in seen for text in texts), " and ".join(texts))


@pytest.fixture(params=["80x24", "120x40"])
def pane(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pane]:
    columns, rows = request.param.split("x")
    (tmp_path / "small.yaml").write_text(PROFILE)
    pane = Pane(tmp_path / "tmux", tmp_path)
    env = {
        "SPARKTUI_HOME": str(tmp_path / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PS1": "here$ ",
        "COLORTERM": "truecolor",
        "COLUMNS": "200",  # as some shells export them: the size of the terminal they were started in
        "LINES": "60",
    }
    shell = ["env", *(f"{name}={value}" for name, value in env.items()), "sh"]  # as words: a bash between drops PS1
    pane.tmux("new-session", "-d", "-x", columns, "-y", rows, "-c", str(tmp_path), *shell)
    try:
        pane.until_shown("here$")
        yield pane
    finally:
        stop = [sys.executable, "-m", "sparktui", "stop"]
        subprocess.run(stop, env=os.environ | env, capture_output=True, timeout=60, check=False)
        pane.tmux("kill-server")


def test_an_owner_starts_a_race_watches_looks_around_exports_leaves_and_comes_back(pane: Pane) -> None:
    pane.type("sparktui run ./small.yaml")
    pane.until_shown("SIMULATED", "solo", "tok/s")
    first = pane.until(_decode, "a decode rate")
    pane.until(lambda seen: _decode(seen) and _decode(seen) != _decode(first), "a decode rate that moves")
    for key, text in (
        ("4", "When to use which"),
        ("3", "tok/s"),
        ("5", "gf1"),
        ("6", "small"),
        ("1", "small"),
        ("2", "tok/s"),
    ):
        pane.press(key)
        pane.until_shown(text)
    pane.press("e")
    pane.until_shown("written")
    assert [path for path in pane.folder.iterdir() if path.suffix == ".csv"]
    pane.press("q")
    pane.until_shown("goes on", "sparktui attach 1", "here$")
    pane.type("clear; sparktui attach 1")
    pane.until(_decode, "a decode rate again")
    pane.press("?")
    pane.until_shown("explained")
    pane.press("Escape")
    pane.until(lambda seen: "explained" not in seen, "the screen again")
    pane.press("x")
    pane.until_shown("Stop campaign 1")
    pane.press("Escape")
    pane.until(lambda seen: "Stop campaign 1" not in seen, "the screen again")
    pane.press("q")
    pane.until(lambda seen: seen.rstrip().endswith("here$"), "the shell again")


def _decode(seen: str) -> str | None:
    """Return what stands where the decode rate is; digits are drawn large, so any block of it will do."""
    lines = seen.splitlines()
    rows = [number for number, line in enumerate(lines) if re.search(r"\bdecode\b", line)]
    return "\n".join(lines[rows[0] : rows[0] + 5]) if rows else None
