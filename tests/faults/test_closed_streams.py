"""Streams that whoever started a command has closed, as `>&-` in a shell or a careless service manager does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PUBLISHED = "published/gemma4-26b-a4b"
FAILS = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
WITHOUT_ANY = "import os, sys; os.closerange(0, 3); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
NUMBERS = (
    "import os, sys; from sparktui.streams import stand_in_for_closed as s; s(); null = os.stat(os.devnull).st_rdev;"
    "sys.exit(all(os.fstat(number).st_rdev == null for number in range(3)) and os.open('/', os.O_RDONLY) > 2)"
)


def typed(home: Path, *words: str, how: str = FAILS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", how, *words],
        env={**os.environ, "SPARKTUI_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("list", "--json"),
        ("compare", PUBLISHED),
        ("compare", PUBLISHED, "--json"),
        ("export", PUBLISHED, "--format", "csv"),
        ("run", "demo", "--dry-run"),
        ("--help",),
    ],
)
def test_a_result_that_cannot_be_printed_is_a_failure(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = typed(tmp_path, "-m", "sparktui", *words)
    assert done.returncode == 1
    assert "stdout is closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_prints_no_result_needs_no_stdout(tmp_path: Path) -> None:
    done = typed(tmp_path, "-m", "sparktui", "export", PUBLISHED, "-o", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.csv").stat().st_size


def test_without_stderr_either_the_exit_code_is_left(tmp_path: Path) -> None:
    assert typed(tmp_path, "-m", "sparktui", "list", how=WITHOUT_ANY).returncode == 1


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    assert typed(tmp_path, "-c", NUMBERS, how=WITHOUT_ANY).returncode == 1
