"""A disk seen through `disk.c`: what was synced is known, so that a power cut can be played, and syncs can be slow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("disk.c")
COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="no C compiler for the library that sees syncs, or no Linux"
)


def build(folder: Path) -> Path:
    """Build the library; return its path."""
    assert COMPILER is not None
    library = folder / "disk.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([COMPILER, *flags, "-o", str(library), str(SOURCE), "-ldl"], check=True, timeout=60)
    return library


def watched(library: Path, home: Path) -> dict[str, str]:
    """Return the environment of an owner whose syncs are kept in `home/synced`."""
    (home / "synced").mkdir()
    return {"LD_PRELOAD": str(library), "DISK_OF": str(home / "data"), "DISK_KEEP": str(home / "synced")}


def slow(library: Path, ms: int) -> dict[str, str]:
    """Return the environment of an owner whose syncs take so long."""
    return {"LD_PRELOAD": str(library), "DISK_SLOW_MS": str(ms)}


def cut_power(home: Path) -> None:
    """Leave of the store what had been synced, and nothing else; nothing may have it open."""
    for name in ("sparktui.db", "sparktui.db-wal", "sparktui.db-shm"):
        there, kept = home / "data" / name, home / "synced" / name
        there.unlink(missing_ok=True)
        if kept.exists() and not name.endswith("-shm"):
            shutil.copyfile(kept, there)
