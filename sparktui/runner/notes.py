"""What a campaign has launched, noted beside the store too: a stop must not need a store that can be read.

One line for each thing that is launched, one when its process is known, one when it is gone; the last removes the file.
Every line says all that a stop has to know, because the profile is in the store.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from sparktui.errors import StoreError
from sparktui.paths import data_dir, ensure_private, is_own_file
from sparktui.serving.host import Host
from sparktui.serving.plan import Step
from sparktui.serving.ssh import SshHost
from sparktui.store.synced import sync_folder
from sparktui.unreadable import UNREADABLE

LAUNCHED = "launched.jsonl"
FOLDERS_DEEP = 3
"""`run/ID` in the home of the store: each may be as new as the file."""
MOST_BYTES = 1 << 20
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_turn = threading.Lock()


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was launched, or what became of it."""

    mark: str
    """What it carries in its environment."""
    number: int
    """Its row's in the store."""
    node: str = ""
    host: str | None = None
    """What ssh calls the node; None for this machine."""
    topology: str = ""
    title: str = ""
    undo: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    container: str | None = None
    files: tuple[str, ...] = ()
    pid: int | None = None
    pid_started: float | None = None
    gone: bool = False

    @classmethod
    def of(cls, mark: str, number: int, step: Step, host: Host, topology: str = "") -> Self:
        """Return the first note of a step that is about to be run."""
        return cls(
            mark=mark,
            number=number,
            node=step.node,
            host=host.destination if isinstance(host, SshHost) else None,
            topology=topology,
            title=step.title,
            undo=step.undo,
            logs=step.logs,
            container=step.container,
            files=tuple(step.files),
        )

    @property
    def step(self) -> Step:
        """What was run, as far as undoing it goes."""
        files = dict.fromkeys(self.files, "")
        return Step(self.node, self.title, (), files=files, undo=self.undo, logs=self.logs, container=self.container)


@dataclass(frozen=True, slots=True)
class Notes:
    """One campaign's."""

    path: Path

    @classmethod
    def of(cls, campaign: int, home: Path | None = None) -> Self:
        """Return a campaign's notes; `home` is the folder that its store is in."""
        return cls((home or data_dir()) / "run" / str(campaign) / LAUNCHED)

    def add(self, note: Note) -> None:
        """Have a note on disk.

        Raises:
            StoreError: It cannot be written.
        """
        with _turn:
            self._append(note)

    def strike(self, mark: str, number: int) -> None:
        """Note that something is gone; nothing is noted where nobody noted it before.

        Raises:
            StoreError: It cannot be written.
        """
        with _turn:
            left = {(note.mark, note.number) for note in self.left()}
            if left == {(mark, number)}:
                self.path.unlink(missing_ok=True)
            elif (mark, number) in left:
                self._append(Note(mark, number, gone=True))

    def left(self) -> list[Note]:
        """Return what was launched and is not known to be gone, in its order; lines that are none are passed over."""
        found: dict[tuple[str, int], Note] = {}
        for note in _read(self.path):
            key = note.mark, note.number
            if note.gone:
                found.pop(key, None)
            elif note.node:
                found[key] = note
            elif key in found:
                found[key] = msgspec.structs.replace(found[key], pid=note.pid, pid_started=note.pid_started)
        return list(found.values())

    def _append(self, note: Note) -> None:
        line = b"\n" + msgspec.json.encode(note)  # whatever a power cut has torn before it ends here
        ensure_private(self.path.parent)
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)
            try:
                _write_whole(file, line)
            finally:
                os.close(file)
            for folder in self.path.parents[:FOLDERS_DEEP]:
                sync_folder(folder)
        except OSError as error:
            raise StoreError(
                f"cannot note in {self.path}: {error.strerror}", "check the disk, its owner and mode"
            ) from error


def noted_campaigns() -> list[int]:
    """Return the campaigns that have notes of something that may be left, the one noted last at the end."""
    files = [path for path in data_dir().glob(f"run/*/{LAUNCHED}") if path.parent.name.isdigit()]
    kept = [(path.stat().st_mtime, int(path.parent.name)) for path in files if Notes(path).left()]
    return [campaign for _, campaign in sorted(kept)]


def _write_whole(file: int, line: bytes) -> None:
    if os.write(file, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)


def _read(path: Path) -> Iterator[Note]:
    for line in _content(path).splitlines():
        try:
            yield msgspec.json.decode(line, type=Note)
        except UNREADABLE:
            continue  # torn by a power cut, or no note


def _content(path: Path) -> bytes:
    """Return what is written in a file that nobody else can have put there."""
    try:
        file = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return b""
    with os.fdopen(file, "rb") as stream:
        return stream.read(MOST_BYTES) if is_own_file(file) else b""
