"""What GPUs say through an NVML of our own: summed whole or not at all, and a call that hangs is named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from sparktui.nodes import gpu, nvml
from sparktui.nodes.apart import Apart
from sparktui.nodes.gpu import GpuReading, Gpus, read_gpus
from sparktui.nodes.nvml import CALL_DEADLINE_S, INIT_DEADLINE_S, NOT_SUPPORTED, RETRY_S, Nvml
from sparktui.nodes.pace import Pace
from sparktui.nodes.reading import LocalReader, gpu_fields

GIB = 1024**3
SPARK_TOTAL = 127_600_748 * 1024
LOST, FUNCTION_NOT_FOUND = 15, 13


class NVMLError(Exception):
    """As pynvml's own."""

    def __init__(self, value: int) -> None:
        super().__init__(f"error {value}")
        self.value = value


class Library:
    """An NVML of some GPUs: each a table from call to answer; an int above answers as an error with `refuse`."""

    def __init__(self, *gpus: dict[str, Any]) -> None:
        self.gpus = list(gpus)
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(handle: Any = None, *_: Any) -> Any:
            self.calls.append(name)
            if name == "nvmlDeviceGetCount":
                return len(self.gpus)
            if name == "nvmlDeviceGetHandleByIndex":
                return handle
            if not name.startswith("nvmlDevice"):
                return None
            answer = self.gpus[handle].get(name.removeprefix("nvmlDeviceGet"), NVMLError(NOT_SUPPORTED))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def read(*gpus: dict[str, Any]) -> GpuReading:
    return read_gpus(Nvml(lambda: Library(*gpus)))


def process(pid: int, used: int | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=used)


@pytest.mark.parametrize(
    ("counters", "joules"),
    [((2_500, 1_500), 4.0), ((2_500, NVMLError(NOT_SUPPORTED)), None), ((NVMLError(999),), None)],
)
def test_a_counter_that_one_gpu_lacks_is_no_counter(counters: tuple[Any, ...], joules: float | None) -> None:
    found = read(*({"TotalEnergyConsumption": counter, "PowerUsage": 50_000} for counter in counters))
    assert found.energy_j == joules
    assert found.power_w == 50.0 * len(counters)
    assert gpu_fields(found, unified=True)["energy_j"] == joules


def test_a_costly_counter_is_asked_for_seldom_and_is_unknown_in_between() -> None:
    clock = Clock()
    library = Library({"TotalEnergyConsumption": 2_500, "PowerUsage": 50_000})
    driver, pace = Nvml(lambda: library, clock), Pace(share=0.01, longest_s=2.0, now=clock)
    assert read_gpus(driver, pace).energy_j == 2.5
    pace.spent(0.005)
    between = read_gpus(driver, pace)
    assert (between.energy_j, between.power_w) == (None, 50.0)
    clock.now = 0.5
    assert read_gpus(driver, pace).energy_j == 2.5
    pace.spent(10.0)
    clock.now += 2.0
    assert pace.is_due()


def test_a_process_in_two_lists_counts_once_with_the_larger_figure_and_one_on_two_gpus_twice() -> None:
    first = {
        "ComputeRunningProcesses": [process(1, 5 * GIB)],
        "GraphicsRunningProcesses": [process(1, 6 * GIB)],
    }
    second = {"ComputeRunningProcesses": [process(1, GIB)]}
    found = read(first, second)
    assert found.procs_bytes == 7 * GIB
    assert found.by_pid == {1: 7 * GIB}


def test_a_process_whose_memory_is_not_told_makes_their_sum_unknown() -> None:
    unknown = {
        "ComputeRunningProcesses": [process(1, 5 * GIB), process(2, None), process(3, None)],
        "GraphicsRunningProcesses": [process(3, GIB)],
    }
    found = read(unknown)
    assert found.procs_bytes is None
    assert found.by_pid == {1: 5 * GIB, 3: GIB}
    assert read({"ComputeRunningProcesses": []}).procs_bytes == 0


def test_the_hottest_busiest_and_fastest_gpu_speaks_for_all() -> None:
    found = read(
        {"Temperature": 60, "ClockInfo": 2400, "UtilizationRates": SimpleNamespace(gpu=10)},
        {"Temperature": 70, "ClockInfo": 1400, "UtilizationRates": SimpleNamespace(gpu=90)},
    )
    assert (found.temp_c, found.sm_mhz, found.util_pct) == (70, 2400, 90)


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (0x0, ""),
        (0x1, ""),
        (0x4, "sw power cap"),
        (0x21, "sw thermal slowdown"),
        (0xC8, "hw slowdown, hw thermal slowdown, hw power brake slowdown"),
    ],
)
def test_why_a_gpu_is_held_back_is_said_in_words(reasons: int, words: str) -> None:
    assert read({"CurrentClocksEventReasons": reasons}).throttle == words
    assert read({"CurrentClocksThrottleReasons": reasons}).throttle == words
    assert read({}).throttle is None


@pytest.mark.parametrize(
    ("memory", "unified"),
    [
        (NVMLError(NOT_SUPPORTED), True),
        (SimpleNamespace(total=0, used=0), True),
        (SimpleNamespace(total=int(SPARK_TOTAL * 0.98), used=GIB), True),
        (SimpleNamespace(total=80 * GIB, used=GIB), False),
        (NVMLError(999), None),
    ],
)
def test_unified_memory_is_told_by_a_total_that_is_missing_nothing_or_the_nodes(memory: Any, unified: bool) -> None:
    assert read({"MemoryInfo": memory}).unified(SPARK_TOTAL) is unified


def test_only_a_gpu_with_memory_of_its_own_shows_it() -> None:
    found = read({"MemoryInfo": SimpleNamespace(total=80 * GIB, used=GIB)})
    assert gpu_fields(found, unified=False)["gpu_total_bytes"] == 80 * GIB
    assert gpu_fields(found, unified=True)["gpu_total_bytes"] is None
    assert gpu_fields(GpuReading(), unified=None)["gpu_used_bytes"] is None


class OlderLibrary(Library):
    """Of a driver older than the second version of a call: it has no such function."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answer = super().__getattr__(name)

        def call(handle: Any = None, version: Any = None) -> Any:
            if name == "nvmlDeviceGetMemoryInfo" and version is not None:
                raise NVMLError(FUNCTION_NOT_FOUND)
            return answer(handle)

        return call


def test_a_driver_without_the_second_memory_call_is_asked_the_first() -> None:
    memory = {"MemoryInfo": SimpleNamespace(total=80 * GIB, used=GIB)}
    assert read_gpus(Nvml(lambda: OlderLibrary(memory))).used_bytes == GIB
    refused = read_gpus(Nvml(lambda: OlderLibrary({"PowerUsage": 50_000})))
    assert (refused.unified(SPARK_TOTAL), refused.power_w) == (True, 50.0)


def test_the_second_memory_call_is_the_one_that_pynvml_knows() -> None:
    assert pynvml.nvmlMemory_v2 == gpu.MEMORY_V2


def test_no_nvml_is_no_reading() -> None:
    def missing() -> Any:
        raise ImportError

    assert read_gpus(Nvml(missing)) == GpuReading()
    assert read() == GpuReading()


def test_a_gpu_that_is_lost_leaves_no_half_sums_and_is_looked_for_again_later() -> None:
    clock = Clock()
    library = Library({"PowerUsage": 50_000, "Temperature": 60}, {"PowerUsage": 40_000, "Temperature": 70})
    driver = Nvml(lambda: library, clock)
    assert (read_gpus(driver).power_w, read_gpus(driver).lost) == (90.0, 0)
    library.gpus[1] = dict.fromkeys(("PowerUsage", "MemoryInfo", "Temperature"), NVMLError(LOST))
    lost = read_gpus(driver)
    assert (lost.power_w, lost.temp_c, lost.lost) == (None, 60, 1)
    clock.now = RETRY_S
    read_gpus(driver)
    library.gpus.pop()
    assert (read_gpus(driver).power_w, read_gpus(driver).lost) == (None, 1)
    library.gpus.append({"PowerUsage": 40_000})
    clock.now = 2 * RETRY_S
    read_gpus(driver)
    assert (read_gpus(driver).power_w, read_gpus(driver).lost) == (90.0, 0)


def test_a_driver_that_is_not_there_is_not_asked_at_every_sample() -> None:
    library = Library()
    driver = Nvml(lambda: library, Clock())
    for _ in range(5):
        read_gpus(driver)
    assert library.calls.count("nvmlInit") == 1


def test_a_call_is_named_once_it_is_out_for_longer_than_its_deadline() -> None:
    clock = Clock()
    seen: dict[str, list[str | None]] = {}
    driver: Nvml

    def slow(name: str) -> Callable[..., Any]:
        def call(*_: Any) -> int:
            begun = clock.now
            seen[name] = []
            for waited in (CALL_DEADLINE_S, CALL_DEADLINE_S + 1, INIT_DEADLINE_S + 1):
                clock.now = begun + waited
                seen[name].append(driver.hung())
            return 1

        return call

    driver = Nvml(
        lambda: SimpleNamespace(nvmlInit=slow("nvmlInit"), nvmlDeviceGetCount=slow("nvmlDeviceGetCount")), clock
    )
    driver.open()
    assert seen["nvmlDeviceGetCount"] == [None, "nvmlDeviceGetCount", "nvmlDeviceGetCount"]
    assert seen["nvmlInit"] == [None, None, "nvmlInit"]
    assert driver.hung() is None


def test_a_driver_that_hangs_is_named_holds_up_no_sample_and_is_believed_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nvml, "CALL_DEADLINE_S", 0.0)
    monkeypatch.setattr(gpu, "ROUND_DEADLINE_S", 60.0)
    entered, released = threading.Event(), threading.Event()
    library = Library({"PowerUsage": 50_000})

    class Hanging(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            if key == "PowerUsage":
                entered.set()
                released.wait(60)
            return super().get(key, default)

    library.gpus = [Hanging({"PowerUsage": 50_000})]
    gpus = Gpus(Nvml(lambda: library))
    gpus.ask()
    assert entered.wait(20)
    assert gpus.latest(0.01) == GpuReading(hung="nvmlDeviceGetPowerUsage")
    gpus.ask()
    assert gpus.latest(0.0) == GpuReading(hung="nvmlDeviceGetPowerUsage")
    released.set()
    assert gpus.latest(20).power_w == 50.0


def test_what_a_node_is_stays_known_while_its_driver_hangs() -> None:
    class Played(Gpus):
        readings = iter([GpuReading(total_bytes=0, procs_bytes=GIB, nvml_ms=1.0), GpuReading(hung="nvmlInit")])

        def ask(self) -> None:
            pass

        def latest(self, wait_s: float) -> GpuReading:
            return next(self.readings)

    reader = LocalReader(gpus=Played())
    first, second = (reader.complete({"mem_total_bytes": SPARK_TOTAL}, 0) for _ in range(2))
    assert (first["unified"], first["gpu_procs_bytes"], first["nvml_hung"]) == (True, GIB, None)
    assert (second["unified"], second["gpu_procs_bytes"], second["nvml_hung"]) == (True, None, "nvmlInit")


def test_a_lost_gpu_is_told_once() -> None:
    class Played(Gpus):
        readings = iter([GpuReading(lost=0), GpuReading(lost=1), GpuReading(lost=1)])

        def ask(self) -> None:
            pass

        def latest(self, wait_s: float) -> GpuReading:
            return next(self.readings)

    reader = LocalReader(gpus=Played())
    troubles = []
    for _ in range(3):
        reader.complete({}, 0)
        troubles.append(reader.trouble())
    assert [trouble and trouble[0] for trouble in troubles] == [None, "gpu-lost", None]


def test_a_reading_that_breaks_is_missing_and_the_next_one_is_made() -> None:
    answers = iter([None, 7])

    def read() -> int:
        if (answer := next(answers)) is None:
            raise ValueError("odd")
        return answer

    apart = Apart(read, deadline_s=60)
    apart.ask()
    assert apart.latest(20) is None
    apart.ask()
    assert apart.latest(20) == 7


def test_an_overdue_reading_makes_what_was_read_before_unknown() -> None:
    released = threading.Event()
    answers = iter([1, 2])
    asked = iter([True, False])

    def read() -> int:
        if not next(asked):
            released.wait(60)
        return next(answers)

    apart = Apart(read, deadline_s=0.0)
    apart.ask()
    assert apart.latest(20) == 1
    apart.ask()
    assert apart.latest(0.01) is None
    released.set()
    assert apart.latest(20) == 2
