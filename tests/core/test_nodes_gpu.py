"""The GPUs' energy counters: summed, all or none, and of this moment where NVML answers at once."""

from __future__ import annotations

import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest

from sparktui.nodes.agent import GpuThread, read_local
from sparktui.nodes.gpu import GpuReading, read_gpus


class NVMLError(Exception):
    """As pynvml's own."""


def nvml(counters: dict[int, int | None]) -> ModuleType:
    """Return an NVML of so many GPUs, whose counters say millijoules; None is not supported, as everything else."""

    def refused(*_: object) -> object:
        raise NVMLError

    def energy(gpu: int) -> int:
        value = counters[gpu]
        return value if value is not None else int(str(refused()))

    module = ModuleType("pynvml")
    known = {
        "NVMLError": NVMLError,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: len(counters),
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetTotalEnergyConsumption": energy,
        "nvmlDeviceGetPowerUsage": lambda _: 50_000,
    }
    module.__dict__.update(known)
    module.__getattr__ = lambda name: refused if name.startswith("nvml") else SimpleNamespace()  # type: ignore[method-assign]
    return module


@pytest.mark.parametrize(
    ("counters", "joules"), [({0: 2_500, 1: 1_500}, 4.0), ({0: 2_500, 1: None}, None), ({0: None}, None)]
)
def test_a_counter_that_one_gpu_lacks_is_no_counter(
    monkeypatch: pytest.MonkeyPatch, counters: dict[int, int | None], joules: float | None
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml(counters))
    found = read_gpus()
    assert found.energy_j == joules
    assert found.power_w == 50.0 * len(counters)
    assert read_local("gf1", "serving", 0, found).energy_j == joules


def test_a_quick_reading_is_of_this_sample_and_a_slow_one_does_not_hold_it_up() -> None:
    readings = iter(range(1, 100))
    assert [GpuThread(lambda: GpuReading(energy_j=next(readings))).latest().energy_j for _ in range(2)] == [1, 2]
    released = threading.Event()

    def slow() -> GpuReading:
        released.wait(10)
        return GpuReading(energy_j=7.0)

    thread = GpuThread(slow)
    assert thread.latest().energy_j is None
    released.set()
