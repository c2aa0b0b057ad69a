"""A driver that refuses, blocks, or loses a GPU: what it does not say is unknown, and nothing else waits for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.agents import GIB, Runner, agent
from tests.faults.conftest import Connect

SOURCE = Path(__file__).parents[1] / "stub_nvml.c"
COMPILER = shutil.which("cc") or shutil.which("gcc")
GPU_FIELDS = (
    "gpu_procs_bytes", "gpu_total_bytes", "gpu_used_bytes", "gpu_util_pct", "power_w", "temp_c", "sm_mhz", "throttle",
    "energy_j", "nvml_ms",
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler for the stub of libnvidia-ml.so.1"),
]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the stub; return the folder it is in."""
    folder = tmp_path_factory.mktemp("nvml")
    assert COMPILER is not None
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    argv = [COMPILER, *flags, "-o", str(folder / "libnvidia-ml.so.1"), str(SOURCE)]
    subprocess.run(argv, check=True, timeout=60)
    return folder


class Driver:
    """What the stub is told to do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.behave()

    def behave(self, *lines: str) -> None:
        """Behave like this from the next call on."""
        draft = self.path.with_suffix(".new")
        draft.write_text("\n".join(lines) + "\n")
        os.replace(draft, self.path)


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver(tmp_path / "behaviour")


@contextmanager
def watched(folder: Path, library: Path, driver: Driver, connect: Connect) -> Iterator[Runner]:
    """Run an agent over the stub; it has made its first round of calls."""
    environment = {"LD_LIBRARY_PATH": str(library), "STUB_NVML": str(driver.path)}
    with agent(folder, env=environment):
        runner = connect(folder)
        runner.say(do="phase", phase="loading")
        yield runner


def answered(sample: dict[str, Any]) -> bool:
    return sample.get("nvml_ms") is not None


def answered_whole(sample: dict[str, Any]) -> bool:
    """The energy counter, which is asked for less often, is there too."""
    return sample.get("energy_j") is not None


def test_memory_that_is_not_supported_is_unified_memory(
    folder: Path, library: Path, driver: Driver, connect: Connect
) -> None:
    driver.behave("refuse MemoryInfo")
    with watched(folder, library, driver, connect) as runner:
        sample = runner.hear_until("sample", answered_whole)
    assert sample["unified"] is True
    assert "gpu_total_bytes" not in sample
    assert sample["gpu_procs_bytes"] == 6 * GIB
    assert (sample["power_w"], sample["temp_c"], sample["sm_mhz"], sample["energy_j"]) == (11.0, 40.0, 2400.0, 5.0)
    assert (sample["gpu_util_pct"], sample["throttle"]) == (96.0, "sw thermal slowdown")


def test_two_gpus_of_their_own_memory_are_summed(folder: Path, library: Path, driver: Driver, connect: Connect) -> None:
    driver.behave("gpus 2", f"total {800 * GIB}")
    with watched(folder, library, driver, connect) as runner:
        sample = runner.hear_until("sample", answered_whole)
    assert sample["unified"] is False
    assert (sample["gpu_total_bytes"], sample["gpu_used_bytes"]) == (1600 * GIB, 800 * GIB)
    assert (sample["power_w"], sample["temp_c"], sample["energy_j"]) == (23.0, 41.0, 10.0)
    assert sample["gpu_procs_bytes"] == 12 * GIB


@pytest.mark.parametrize(
    ("driver_has", "used"), [((), 40 * GIB), (("refuse MemoryInfo_v2",), 40 * GIB + 480 * 1024**2)]
)
def test_what_the_driver_keeps_for_itself_is_not_used_where_it_tells_the_two_apart(
    folder: Path, library: Path, driver: Driver, connect: Connect, driver_has: tuple[str, ...], used: int
) -> None:
    driver.behave(f"total {80 * GIB}", f"reserved {480 * 1024**2}", "refuse TotalEnergyConsumption", *driver_has)
    with watched(folder, library, driver, connect) as runner:
        sample = runner.hear_until("sample", answered)
    assert (sample["gpu_total_bytes"], sample["gpu_used_bytes"]) == (80 * GIB, used)


def test_calls_that_are_refused_leave_the_others(folder: Path, library: Path, driver: Driver, connect: Connect) -> None:
    driver.behave("unknown PowerUsage", "refuse ClocksEventReasons", "unknown MemoryInfo", "none PROCESSES")
    with watched(folder, library, driver, connect) as runner:
        sample = runner.hear_until("sample", answered)
    assert {"power_w", "throttle", "unified", "gpu_procs_bytes"}.isdisjoint(sample)
    assert (sample["temp_c"], sample["gpu_util_pct"]) == (40.0, 96.0)


def test_a_call_that_blocks_is_named_and_the_other_readings_keep_their_rate(
    folder: Path, library: Path, driver: Driver, connect: Connect
) -> None:
    driver.behave("refuse MemoryInfo")
    with watched(folder, library, driver, connect) as runner:
        runner.hear_until("sample", answered)
        before = gap(runner)
        driver.behave("refuse MemoryInfo", "hang Temperature")
        hung = runner.hear_until("sample", lambda sample: "nvml_hung" in sample)
        during = gap(runner)
        driver.behave("refuse MemoryInfo")
        after = runner.hear_until("sample", answered)
    assert hung["nvml_hung"] == "nvmlDeviceGetTemperature"
    assert set(GPU_FIELDS).isdisjoint(hung)
    assert hung["unified"] is True
    assert hung["mem_available_bytes"] > 0
    assert "nvml_hung" not in after
    assert during < 2 * before


def test_a_driver_that_never_comes_up_is_named(folder: Path, library: Path, driver: Driver, connect: Connect) -> None:
    driver.behave("hang Count")
    with watched(folder, library, driver, connect) as runner:
        assert runner.hear_until("sample", lambda sample: "nvml_hung" in sample)["nvml_hung"] == "nvmlDeviceGetCount"


def test_an_agent_with_a_call_that_is_out_ends_when_told(
    folder: Path, library: Path, driver: Driver, connect: Connect
) -> None:
    driver.behave("hang PowerUsage")
    with watched(folder, library, driver, connect) as runner:
        runner.hear_until("sample", lambda sample: "nvml_hung" in sample)
        runner.say(do="end")
        while runner.hear() is not None:
            pass
    assert not folder.exists()


def test_a_gpu_that_falls_off_the_bus_is_told_and_leaves_no_half_sums(
    folder: Path, library: Path, driver: Driver, connect: Connect
) -> None:
    driver.behave("gpus 2", "refuse MemoryInfo")
    with watched(folder, library, driver, connect) as runner:
        runner.hear_until("sample", answered)
        driver.behave("gpus 2", "refuse MemoryInfo", "lost 1")
        trouble = runner.hear_until("trouble")
        sample = runner.hear_until("sample")
    assert trouble["kind"] == "gpu-lost"
    assert {"power_w", "energy_j", "gpu_procs_bytes"}.isdisjoint(sample)
    assert sample["temp_c"] == 40.0
    assert sample["unified"] is True


def gap(runner: Runner) -> float:
    """Return how long ten samples take."""
    samples = runner.samples(11)
    beats = [sample["heartbeat"] for sample in samples]
    assert beats == list(range(beats[0], beats[0] + 11))
    return float(samples[-1]["t"] - samples[0]["t"])
