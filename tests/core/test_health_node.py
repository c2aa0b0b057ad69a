"""What one node's readings say of its health, and what they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.health import View, look
from sparktui.nodes.health_engine import Engine, Flow
from sparktui.nodes.health_finding import Finding
from sparktui.nodes.health_node import cell_findings
from sparktui.nodes.sample import NodeSample
from tests.core.node_samples import GIB, MIB, Reading, counting, samples


def node_findings(window: list[NodeSample]) -> tuple[Finding, ...]:
    """Return what is found on a node whose engine makes tokens."""
    engine = Engine(("gf1",), (Flow(0.0, 1.0, 0.0), Flow(1.0, 1.0, 30.0)), True)
    return look(View(now=1.0, topology="solo", engines=(engine,), samples={"gf1": window}))


def kinds(seconds: float = 20.0, **readings: Reading) -> list[str]:
    return [finding.kind for finding in node_findings(samples(seconds, **readings))]


def test_a_busy_healthy_spark_has_no_finding() -> None:
    assert kinds() == []
    assert kinds(temp_c=85.0, throttle="sw power cap, gpu idle") == []


def test_a_node_that_says_nothing_of_itself_has_no_finding() -> None:
    names = ("gpu_util_pct", "power_w", "temp_c", "sm_mhz", "throttle", "swap_in_bytes", "swap_out_bytes")
    unsaid: dict[str, Reading] = dict.fromkeys((*names, "rdma_errors", "order9_free", "mem_available_bytes", "unified"))
    assert kinds(**unsaid) == []
    assert node_findings([]) == ()


@pytest.mark.parametrize("sick", [{"sm_mhz": 850.0, "power_w": 28.0}, {"sm_mhz": 1390.0}, {"power_w": 34.0}])
def test_busy_cool_and_slow_is_a_stuck_clock(sick: dict[str, Reading]) -> None:
    (finding,) = node_findings(samples(temp_c=46.0, **sick))
    assert (finding.kind, finding.node, finding.unfair) == ("stuck-clock", "gf1", True)
    for figure in (*sick.values(), 96, 46):
        assert f"{figure:.0f}" in finding.text


@pytest.mark.parametrize(
    "well",
    [
        {"temp_c": 80.0},
        {"temp_c": None},
        {"gpu_util_pct": 40.0},
        {"unified": False},
        {"sm_mhz": 1400.0, "power_w": 35.0},
        {"sm_mhz": None, "power_w": None},
    ],
)
def test_a_clock_is_not_stuck_on_a_hot_or_idle_or_discrete_gpu(well: dict[str, Reading]) -> None:
    slow: dict[str, Reading] = {"sm_mhz": 850.0, "temp_c": 46.0}
    assert kinds(**(slow | well)) == []


def test_nothing_is_told_before_it_has_lasted() -> None:
    assert kinds(seconds=8.0, sm_mhz=850.0, temp_c=46.0) == []
    assert kinds(sm_mhz=lambda t: 850.0 if t > 15 else 2411.0, temp_c=46.0) == []
    assert kinds(sm_mhz=lambda t: 850.0 if t >= 9 else 2411.0, temp_c=46.0) == ["stuck-clock"]


def test_what_holds_a_gpu_back_is_told_in_the_drivers_words() -> None:
    finding = node_findings(samples(throttle="sw thermal slowdown, sw power cap", sm_mhz=1210.0, temp_c=84.0))[0]
    assert (finding.kind, finding.unfair) == ("throttled", True)
    assert "(sw thermal slowdown)" in finding.text
    assert "1210 MHz at 84 °C" in finding.text
    assert "in 21 of 21 readings" in finding.text


def test_a_gpu_that_is_held_back_now_and_then_is_not_throttled() -> None:
    assert kinds(throttle=lambda t: "hw slowdown" if int(t) % 3 == 0 else "") == []


def test_swapping_is_told_with_its_rate() -> None:
    readings: dict[str, Reading] = {
        "swap_in_bytes": counting(20 * MIB),
        "swap_out_bytes": counting(30 * MIB),
        "swap_used_bytes": 2 * GIB,
    }
    (finding,) = node_findings(samples(**readings))
    assert (finding.kind, finding.unfair) == ("swapping", True)
    assert "50 MiB/s" in finding.text
    assert "2.0 GiB of it in use" in finding.text


def test_swap_that_lies_still_or_trickles_is_no_swapping() -> None:
    assert kinds(swap_used_bytes=8 * GIB) == []
    assert kinds(swap_out_bytes=counting(2 * MIB)) == []
    assert kinds(swap_out_bytes=lambda t: 0 if t > 10 else int(t * 100 * MIB)) == []  # the counter began again


def test_heat_is_told_and_does_not_taint() -> None:
    (finding,) = node_findings(samples(temp_c=88.0))
    assert (finding.kind, finding.unfair) == ("hot", False)
    assert "88 °C" in finding.text


@pytest.mark.parametrize(("per_second", "told"), [(0.5, []), (3.0, ["rdma-errors"])])
def test_errors_of_the_fabric_are_told_when_they_are_many(per_second: float, told: list[str]) -> None:
    assert kinds(rdma_errors=counting(per_second)) == told


def test_a_driver_that_hangs_is_told_at_once() -> None:
    (finding,) = node_findings(samples(0.0, nvml_hung="nvmlDeviceGetPowerUsage", power_w=None))
    assert finding.kind == "nvml-hung"
    assert "nvmlDeviceGetPowerUsage" in finding.text


def test_memory_without_a_large_block_is_fragmented_only_where_there_is_much_of_it() -> None:
    assert kinds(order9_free=0) == ["fragmented"]
    assert kinds(order9_free=0, mem_free_bytes=GIB) == []
    assert kinds(order9_free=0, mem_available_bytes=10 * GIB) == []
    assert kinds(order9_free=lambda t: int(t) % 2) == []


def test_a_cell_that_was_over_before_ten_seconds_is_judged_by_its_own_samples() -> None:
    short = samples(3.0, sm_mhz=850.0, temp_c=46.0)
    assert node_findings(short) == ()
    assert [finding.kind for finding in cell_findings(short)] == ["stuck-clock"]
    assert cell_findings(samples(0.5, sm_mhz=850.0, temp_c=46.0)) == []


@given(st.floats(1400, 3003), st.floats(35, 140), st.floats(20, 85), st.floats(0, 100), st.floats(0, 121 * GIB))
def test_a_spark_within_its_ordinary_range_never_has_a_finding(
    clock: float, power: float, temp: float, util: float, left: float
) -> None:
    readings: dict[str, Reading] = {"sm_mhz": clock, "power_w": power, "temp_c": temp, "gpu_util_pct": util}
    assert kinds(mem_available_bytes=int(left), **readings) == []
