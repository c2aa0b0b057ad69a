"""What is carried to a node runs there alone: on its own Python, with nothing installed."""

from __future__ import annotations

import ast
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import sparktui
from sparktui.nodes import carry
from sparktui.nodes.carry import CARRIED, DAMAGED, FILE, MAIN, OLD, OLDEST_PYTHON, agent_file, unpack_argv
from sparktui.nodes.messages import Said, parse

PACKAGE = Path(sparktui.__file__).parent
NAMES = {"sparktui", "sparktui.nodes", *CARRIED, "pynvml"}


def source(module: str) -> str:
    return (PACKAGE.parent / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")


def imported(tree: ast.AST, *, lazily: bool) -> Iterator[str]:
    """Yield what a module imports when it is itself imported; `lazily`: also what its functions import later."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if node.module == "sparktui.nodes" else [node.module or ""]
        elif lazily or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imported(node, lazily=lazily)


@pytest.mark.parametrize("module", CARRIED)
def test_a_carried_module_imports_the_standard_library_and_what_is_carried_with_it(module: str) -> None:
    lazily = module != "sparktui.nodes.simulated"  # simulated nodes are on this machine
    found = set(imported(ast.parse(source(module)), lazily=lazily))
    assert {name for name in found - NAMES if name.partition(".")[0] not in sys.stdlib_module_names} == set()


@pytest.mark.parametrize("module", CARRIED)
def test_a_carried_module_is_in_the_syntax_of_the_oldest_python(module: str) -> None:
    ast.parse(source(module), feature_version=OLDEST_PYTHON)


def test_the_same_sources_make_the_same_file() -> None:
    first = agent_file()
    agent_file.cache_clear()
    assert agent_file() == first
    with zipfile.ZipFile(io.BytesIO(first.data)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("__main__.py").decode() == MAIN


def unpacked(home: Path, folder: str, *words: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Do what ssh does: run the argv with the file on stdin, at a home that has never heard of this package."""
    _, *rest = unpack_argv(folder, words)
    return subprocess.run(
        [sys.executable, "-I", *rest],
        input=agent_file().data if data is None else data,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        cwd=home,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_what_arrives_is_unpacked_into_a_private_folder_and_starts_without_being_waited_for(tmp_path: Path) -> None:
    done = unpacked(tmp_path, ".cache/a/b", "--node", "gf1", "--detach", "--orphan-s", "30")
    assert done.returncode == 0, done.stderr
    pid = json.loads(done.stdout)["pid"]
    folder = tmp_path / ".cache" / "a" / "b"
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert first_word(folder) is not None
    finally:
        os.kill(pid, signal.SIGKILL)


def first_word(folder: Path) -> Said | None:
    """Return what the agent says first, through the relay that is carried with it."""
    relay = subprocess.Popen(
        [sys.executable, "-I", str(folder / FILE), "connect"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with relay:
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"\n"  # the agent's socket is there
        said = parse(relay.stdout.readline())
        relay.terminate()
    assert said is not None
    return said if said.hello is not None else None


def test_what_was_damaged_on_the_way_is_not_run(tmp_path: Path) -> None:
    done = unpacked(tmp_path, "folder", "--node", "gf1", data=agent_file().data + b"x")
    assert done.returncode == DAMAGED
    assert not (tmp_path / "folder").exists()


def test_a_python_that_is_too_old_says_which_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry, "UNPACK", carry.UNPACK.replace(str(OLDEST_PYTHON), "(99, 0)"))
    done = unpacked(tmp_path, "folder", "--node", "gf1")
    assert done.returncode == OLD
    assert done.stderr.decode() == "{}.{}".format(*sys.version_info[:2])
