"""The real llama-benchy, from PyPI, in the versions whose figures ours must equal: fetched once, then cached.

Only the package itself is installed, by the hash of its wheel, outside this checkout. Both versions are loaded into one
process under names of their own. What they import but the loaded parts never use is replaced by an empty module.
"""

from __future__ import annotations

import fcntl
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

SHA256 = {
    "0.3.5": "a40f5d348eb2c9eb548738c6322a4f57feff62a80e0d1d4759c1b16f8b9576dc",
    "0.4.0": "9d380f97bd5ef39b03ed2f319f1ee3bdf5c983463f6ce1479f432e90db079410",
}
PIP_DEADLINE_S = 60
UNUSED = ("aiohttp", "tabulate")
"""An HTTP client, of which the tests play the session, and a table printer."""


class UnavailableError(Exception):
    """A wheel is not cached and cannot be fetched."""


@dataclass(frozen=True, slots=True)
class LlamaBenchy:
    """The two modules that turn a stream into figures, of one version."""

    version: str
    client: ModuleType
    results: ModuleType


def load(version: str) -> LlamaBenchy:
    """Return a version's real classes, fetching them where they are not cached.

    Raises:
        UnavailableError: There is no way to PyPI; the text is pip's.
    """
    folder = _fetched(version) / "llama_benchy"
    name = f"llama_benchy_{version.replace('.', '_')}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[])
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
        spec.loader.exec_module(package)
    with _unused_modules():
        return LlamaBenchy(
            version, importlib.import_module(f"{name}.client"), importlib.import_module(f"{name}.results")
        )


@contextmanager
def _unused_modules() -> Iterator[None]:
    """Put empty modules in the place of those that are not installed, while llama-benchy is imported."""
    missing = [name for name in UNUSED if name not in sys.modules and importlib.util.find_spec(name) is None]
    for name in missing:
        module = ModuleType(name)
        module.__dict__.update(ClientSession=object, tabulate=None)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


def _fetched(version: str) -> Path:
    """Return the folder a wheel is unpacked in; its name holds the hash, and it appears only when whole."""
    cache = Path(os.environ.get("SPARKTUI_TEST_CACHE") or Path.home() / ".cache" / "sparktui-tests").expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"llama-benchy-{version}-{SHA256[version][:12]}"
    with (cache / "llama-benchy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(version, folder)
    return folder


def _fetch(version: str, folder: Path) -> None:
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    wanted = unfinished / "requirements.txt"
    wanted.write_text(f"llama-benchy=={version} --hash=sha256:{SHA256[version]}\n")
    options = ["--no-input", "--disable-pip-version-check", "--quiet", "--retries", "1", "--timeout", "15"]
    only_this = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-compile"]
    argv = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        *only_this,
        "--target",
        str(unfinished),
        "-r",
        str(wanted),
    ]
    try:
        subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PIP_DEADLINE_S, check=True
        )
    except subprocess.CalledProcessError as error:
        if "do not match the hashes" in error.stderr.lower():
            raise AssertionError(f"the wheel of llama-benchy {version} is not the one known here") from error
        raise UnavailableError(f"llama-benchy {version}: {error.stderr.strip().splitlines()[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"llama-benchy {version}: pip took over {PIP_DEADLINE_S} s") from error
    unfinished.rename(folder)
