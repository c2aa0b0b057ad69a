"""What is carried to a node that has nothing but Python: the agent as one file, and a few lines that unpack it."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

OLDEST_PYTHON = (3, 10)
"""The guard's values are dataclasses with slots. DGX OS 7 has 3.12."""
CARRIED = (
    "sparktui.nodes.act",
    "sparktui.nodes.agent",
    "sparktui.nodes.agent_loop",
    "sparktui.nodes.apart",
    "sparktui.nodes.arming",
    "sparktui.nodes.containers",
    "sparktui.nodes.conversation",
    "sparktui.nodes.daemon",
    "sparktui.nodes.fabric",
    "sparktui.nodes.flight",
    "sparktui.nodes.folder",
    "sparktui.nodes.gpu",
    "sparktui.nodes.guard",
    "sparktui.nodes.kept",
    "sparktui.nodes.marked",
    "sparktui.nodes.memory",
    "sparktui.nodes.net",
    "sparktui.nodes.nvml",
    "sparktui.nodes.pace",
    "sparktui.nodes.peer",
    "sparktui.nodes.phase",
    "sparktui.nodes.reading",
    "sparktui.nodes.relay",
    "sparktui.nodes.resident",
    "sparktui.nodes.simulated",
    "sparktui.nodes.slope",
    "sparktui.nodes.top",
)
"""They import each other, the standard library and pynvml, which is carried with them."""
FILE = "agent.pyz"
MAIN = """\
from sparktui.nodes.agent import main
raise SystemExit(main())
"""
OLD, DAMAGED = 70, 71
"""How UNPACK says that the node's Python is too old, or that what arrived is not what was sent."""
UNPACK = f"""\
import hashlib, os, sys
folder, digest, words = sys.argv[1], sys.argv[2], sys.argv[3:]
if sys.version_info < {OLDEST_PYTHON}:
    sys.stderr.write("%d.%d" % sys.version_info[:2])
    sys.exit({OLD})
data = sys.stdin.buffer.read()
if hashlib.sha256(data).hexdigest() != digest:
    sys.exit({DAMAGED})
os.umask(0o77)
folder = os.path.abspath(folder)
os.makedirs(folder, exist_ok=True)
os.chmod(folder, 0o700)
path = os.path.join(folder, {FILE!r})
with open(path, "wb") as file:
    file.write(data)
os.execv(sys.executable, [sys.executable, path, *words, "--folder", folder])
"""
"""Run with the folder under the login folder, the sha256 of what comes on stdin, and the agent's own words."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The agent as a file that any Python from OLDEST_PYTHON on runs."""

    data: bytes
    sha256: str


@cache
def agent_file() -> Carried:
    """Return the agent as a zip: the same bytes for the same sources."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in sorted(_sources().items()):
            archive.writestr(_entry(name), text)
    data = buffer.getvalue()
    return Carried(data, hashlib.sha256(data).hexdigest())


def unpack_argv(folder: str, words: tuple[str, ...]) -> list[str]:
    """Return the argv that reads the agent from stdin into a folder under the login folder, and starts it there."""
    return ["python3", "-c", UNPACK, folder, agent_file().sha256, *words]


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # dated 1980: a zip's own beginning of time
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _sources() -> dict[str, bytes]:
    sources = {"__main__.py": MAIN.encode(), "sparktui/nodes/__init__.py": b""}
    sources["sparktui/__init__.py"] = files("sparktui").joinpath("__init__.py").read_bytes()
    for module in CARRIED:
        package, _, name = module.rpartition(".")
        sources[f"{module.replace('.', '/')}.py"] = files(package).joinpath(f"{name}.py").read_bytes()
    sources["pynvml.py"] = _pynvml()
    return sources


def _pynvml() -> bytes:
    import pynvml

    with open(pynvml.__file__, "rb") as file:
        return file.read()
