"""What a cluster of two test nodes needs beside vLLM: Ray in vLLM's environment, and LiteLLM in one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .building import Build, cache, python_version
from .environment import Environment

LITELLM_VERSION = "1.106.2"
RAY_VERSION = "2.60.0"
NEEDED_BYTES = 2 * 1024**3
PLUGIN = "sparktui_test_ray_on_cpu"
"""vLLM takes Ray only on platforms that name a Ray resource. The tests' nodes have no GPU, so a plugin that vLLM
offers for such things gives its CPU platform that name; Ray is told that each node has one."""
PLUGIN_SWITCH = "SPARKTUI_TEST_RAY"
"""The environment variable without which the plugin stays out of the way."""
PLUGIN_CODE = f'''\
import os


def platform():
    return "{PLUGIN}.RayCpuPlatform" if os.environ.get("{PLUGIN_SWITCH}") else None


def __getattr__(name):
    if name != "RayCpuPlatform":
        raise AttributeError(name)
    from vllm.platforms.cpu import CpuPlatform

    class RayCpuPlatform(CpuPlatform):
        ray_device_key = "GPU"
        device_control_env_var = "CUDA_VISIBLE_DEVICES"

    return RayCpuPlatform
'''
ENTRY_POINTS = f"[vllm.platform_plugins]\nray_on_cpu = {PLUGIN}:platform\n"


@dataclass(frozen=True, slots=True)
class LiteLlm(Build):
    """Where LiteLLM is."""

    @property
    def executable(self) -> Path:
        """Its proxy's command line."""
        return self.root / "venv" / "bin" / "litellm"


def ensure_litellm() -> LiteLlm:
    """Build LiteLLM's environment unless it is there; raise BuildError where that fails."""
    versions: dict[str, str | int] = {"litellm": LITELLM_VERSION, "python": python_version()}
    with cache() as folder:
        built = LiteLlm(folder / f"litellm-{LITELLM_VERSION}")
        wanted = f"litellm[proxy]=={LITELLM_VERSION}"
        title = f"LiteLLM {LITELLM_VERSION}: 750 MB"
        built.make(title, versions, NEEDED_BYTES, lambda: built.pip("LiteLLM", "install", wanted))
    return built


def ensure_ray(environment: Environment) -> Path:
    """Put Ray and the plugin into vLLM's environment unless they are there; return Ray's command line."""
    done = environment.root / f"ray-{RAY_VERSION}.done"
    with cache():
        if not done.exists():
            environment.pip(f"Ray {RAY_VERSION}", "install", f"ray=={RAY_VERSION}")
            _install_plugin(environment)
            done.touch()
    return environment.root / "venv" / "bin" / "ray"


def _install_plugin(environment: Environment) -> None:
    (site_packages,) = (environment.root / "venv" / "lib").glob("python3.*/site-packages")
    (site_packages / f"{PLUGIN}.py").write_text(PLUGIN_CODE)
    folder = site_packages / f"{PLUGIN}-1.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1\n")
    (folder / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "RECORD").write_text("")
