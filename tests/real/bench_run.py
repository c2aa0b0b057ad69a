"""One `sparktui bench` as a user runs it, and what it left in its store, read without sparktui's own readers."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .processes import MARK, kill_marked, marked_env

DEADLINE_S = 600.0
TOKEN_MASK = 0x0FFF

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str
    home: Path
    mark: str

    @property
    def account(self) -> str:
        """What to show where it ended otherwise than it should."""
        return f"exit code {self.code}\nstdout: {self.stdout[-2000:]}\nstderr: {self.stderr[-4000:]}"


def sparktui(home: Path, *arguments: str) -> Finished:
    """Run one sparktui command to its end, its data folder in `home`."""
    env = marked_env(SPARKTUI_HOME=str(home))
    argv = [sys.executable, "-m", "sparktui", *arguments]
    try:
        done = subprocess.run(
            argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired:
        kill_marked(env[MARK])
        raise
    return Finished(done.returncode, done.stdout, done.stderr, home, env[MARK])


def query(home: Path, sql: str) -> list[Row]:
    """Return the rows of a query on the store."""
    connection = sqlite3.connect(f"file:{home / 'sparktui.db'}?mode=ro", uri=True)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(sql)]
    finally:
        connection.close()


def cells(home: Path) -> list[Row]:
    """Return every cell by concurrency, each with the tokens its own requests report, warm-up waves included."""
    return query(
        home,
        """
        SELECT cell.*, sum(request.completion_tokens) AS client_tokens,
            sum(request.prompt_tokens) AS client_prompt_tokens
        FROM cell JOIN wave ON wave.cell = cell.id JOIN request ON request.wave = wave.id
        GROUP BY cell.id ORDER BY cell.concurrency
        """,
    )


def requests(home: Path) -> list[Row]:
    """Return every request, warm-up waves included, each with its cell's concurrency and its wave's clock."""
    return query(
        home,
        """
        SELECT request.*, wave.warmup, wave.seq AS wave_seq, wave.clock, cell.concurrency
        FROM request JOIN wave ON request.wave = wave.id JOIN cell ON wave.cell = cell.id
        ORDER BY request.id
        """,
    )


def tokens_per_event(request: Row) -> Sequence[int]:
    """Return how many tokens each event of a request carried."""
    blob: bytes = request["event_tokens"]
    return [value & TOKEN_MASK for value in struct.unpack(f"<{len(blob) // 2}H", blob)]
