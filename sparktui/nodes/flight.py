"""The last minutes of a node on its own disk: a ring of two files that survives a power cut up to its last line."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

CURRENT, BEFORE = "samples.jsonl", "samples.1.jsonl"
HALF_BYTES = 4 * 1024 * 1024
"""Each of the two files holds about an hour of samples at 2 Hz."""
WAITING_AT_MOST = 600
"""Lines that a disk may be behind; those after them are dropped, and that is told."""
LATEST = 1e11
"""Seconds since the epoch: what claims to be later is no moment."""
TAIL_BYTES = 64 * 1024
"""Enough to hold some samples, whatever else was written behind them."""
PIECE = 50
KINDS = {"sample": "samples", "guard": "guard", "acted": "acted", "note": "notes"}
"""A line's one key, and under which name a replay has it."""

Entry = dict[str, Any]
Tell = Callable[[Entry], object]


class Flight:
    """Writes on a thread of its own: a disk that takes long holds up neither the samples nor the guard."""

    def __init__(self, folder: Path, tell: Tell, half_bytes: int = HALF_BYTES) -> None:
        self._ring = Ring(folder, half_bytes)
        self._tell = tell
        self._told = False
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING_AT_MOST)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def write(self, entry: Entry) -> None:
        """Put one line behind those that wait to be written; never blocks."""
        self._put(lambda: self._ring.append(line(entry)))

    def last_heartbeat(self) -> int:
        """Return that of the last sample an agent before this one has written; -1 where there is none. May block."""
        return self._ring.last_heartbeat()

    def replay(self, after: int, each: Tell) -> None:
        """Call `each` with everything after the sample of a heartbeat, in pieces, once all before it is on disk."""
        self._put(lambda: self._replay(after, each))

    def close(self, wait_s: float = 2.0) -> None:
        """Write what still waits, but not for ever."""
        with contextlib.suppress(queue.Full):
            self._jobs.put(None, timeout=wait_s)
            self._thread.join(wait_s)

    def _put(self, job: Callable[[], None]) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._fail("the disk is too slow for the flight file: samples are missing in it")

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except OSError as error:
                self._fail(f"the flight file cannot be written: {error.strerror or error}")

    def _replay(self, after: int, each: Tell) -> None:
        for piece in pieces(_behind(after, self._ring.entries())):
            each({"replayed": piece})

    def _fail(self, text: str) -> None:
        if not self._told:
            self._told = True
            self._tell({"trouble": {"kind": "flight-file", "text": text}})


class Ring:
    """Two files: one is filled, the one before it is kept until that one is full."""

    def __init__(self, folder: Path, half_bytes: int = HALF_BYTES) -> None:
        self._folder, self._half_bytes = folder, half_bytes
        self._fd: int | None = None
        self._size = 0
        self._torn = False
        """The last line was not written whole, so the next one begins on its own."""

    def append(self, data: bytes) -> None:
        """Write one line, and wait until it is on the disk.

        Raises:
            OSError: It cannot be written; the next line is tried on its own.
        """
        if self._fd is None or self._size + len(data) > self._half_bytes:
            self._turn()
        assert self._fd is not None
        whole = b"\n" + data if self._torn else data
        self._torn = True
        written = os.write(self._fd, whole)
        self._size += written
        if written < len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False
        os.fsync(self._fd)

    def entries(self) -> Iterator[Entry]:
        """Return what both files hold, the oldest first."""
        for name in (BEFORE, CURRENT):
            with contextlib.suppress(FileNotFoundError), (self._folder / name).open("rb") as file:
                yield from _decoded(file)

    def last_heartbeat(self) -> int:
        """Return the heartbeat of the last sample in both files; -1 where there is none, or none can be read."""
        for name in (CURRENT, BEFORE):
            with contextlib.suppress(OSError), (self._folder / name).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
                beats = [beat for entry in _decoded(file) if (beat := _heartbeat(entry)) is not None]
                if beats:
                    return beats[-1]
        return -1

    def _turn(self) -> None:
        current = self._folder / CURRENT
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            os.replace(current, self._folder / BEFORE)
        fd = os.open(current, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._fd, self._size = fd, os.fstat(fd).st_size
        if self._size and os.pread(fd, 1, self._size - 1) != b"\n":
            self._size += os.write(fd, b"\n")  # the line that a power cut has torn ends here


def line(entry: Entry) -> bytes:
    """Return one line of a flight file, or of the agent's conversation."""
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def entries(raw: bytes) -> list[Entry]:
    """Return what a flight file holds; a torn line, at its end or before a restart, is left out."""
    return list(_decoded(raw.splitlines()))


def pieces(found: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Cut entries into messages of at most `PIECE`, the last of which says that there is no more."""
    piece, count = _empty(), 0
    for entry in found:
        if count == PIECE:
            yield piece
            piece, count = _empty(), 0
        kind = next(iter(entry))
        piece[KINDS[kind]].append(entry[kind])
        count += 1
    yield piece | {"more": False}


def _empty() -> dict[str, Any]:
    return {name: [] for name in KINDS.values()} | {"more": True}


def _decoded(lines: Iterable[bytes]) -> Iterator[Entry]:
    for raw in lines:
        try:
            entry = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and len(entry) == 1 and _when(entry) >= 0:
            yield entry


def _behind(after: int, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Leave out what was written before and with the sample of a heartbeat: by its place, since clocks are set back."""
    now: int | None = None
    for entry in entries:
        beat = _heartbeat(entry)
        now = now if beat is None else beat
        if now is None or now > after or (now == after and beat is None):
            yield entry


def _heartbeat(entry: Entry) -> int | None:
    beat = entry["sample"].get("heartbeat") if "sample" in entry else None
    return beat if isinstance(beat, int) else None


def _when(entry: Entry) -> float:
    """Return an entry's time, or a negative number where it is no entry."""
    kind, body = next(iter(entry.items()))
    t = body.get("t") if kind in KINDS and isinstance(body, dict) else None
    return float(t) if isinstance(t, int | float) and 0 <= t < LATEST else -1.0
