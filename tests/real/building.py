"""What every build in the tests' cache does alike: one at a time, step by step, the end of its log where one fails.

The cache is `$SPARKTUI_TEST_CACHE` (default `~/.cache/sparktui-tests`). Everything comes from PyPI through pip, with
pip's own settings.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

STEP_DEADLINE_S = 3600


class BuildError(Exception):
    """Something could not be built; the text says which step and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Build:
    """One folder of the cache: a virtual environment, and what is built with it."""

    root: Path

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.root / "venv" / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Written last, so that a folder without it is known to be half built."""
        return self.root / "stamp.json"

    @property
    def log(self) -> Path:
        """What the commands of the build wrote."""
        return self.root / "build.log"

    def make(self, title: str, versions: Mapping[str, str | int], needed_bytes: int, fill: Callable[[], None]) -> None:
        """Build from nothing with `fill`, unless the stamp says that these versions are there."""
        if self._stamped() == versions:
            return
        started = time.monotonic()
        if self.root.exists():
            say(f"removing the half-built or outdated {self.root}")
            shutil.rmtree(self.root)
        _check_room(self.root.parent, needed_bytes)
        self.root.mkdir()
        say(f"building {title} in {self.root}")
        self.run("virtual environment", [sys.executable, "-m", "venv", str(self.root / "venv")])
        fill()
        self.stamp.write_text(json.dumps(versions, indent=2) + "\n")
        say(f"built in {time.monotonic() - started:.0f} s")

    def pip(self, title: str, command: str, *arguments: str) -> None:
        """Run a pip command of the virtual environment."""
        options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        self.run(title, [str(self.python), "-m", "pip", command, *options, *arguments])

    def run(self, title: str, argv: list[str]) -> None:
        """Run one step to its end; raise BuildError where it fails or takes for ever."""
        say(title)
        with self.log.open("a") as log:
            print("$", *argv, file=log, flush=True)
            try:
                done = subprocess.run(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=STEP_DEADLINE_S,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise BuildError(f"{title}: not done after {STEP_DEADLINE_S} s\n{self._tail()}") from error
        if done.returncode != 0:
            raise BuildError(f"{title}: exit code {done.returncode}\n{self._tail()}")

    def _stamped(self) -> object:
        try:
            return json.loads(self.stamp.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def _tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def cache() -> Iterator[Path]:
    """Yield the folder everything is built into, held against other builds."""
    folder = (
        Path(os.environ.get("SPARKTUI_TEST_CACHE") or Path.home() / ".cache" / "sparktui-tests").expanduser().resolve()
    )
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "build.lock"
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build holds {lock}, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield folder


def python_version() -> str:
    """Return the minor version that a virtual environment is good for."""
    return ".".join(map(str, sys.version_info[:2]))


def say(text: str) -> None:
    """Tell on stderr what is being built."""
    print(f"real engines: {text}", file=sys.stderr, flush=True)


def _check_room(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise BuildError(
            f"{folder} has {free / 1024**3:.1f} GiB free and the build needs {needed_bytes / 1024**3:.0f} GiB; "
            "name another folder in SPARKTUI_TEST_CACHE"
        )
