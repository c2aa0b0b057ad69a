from __future__ import annotations

import json

import msgspec

from sparktui.nodes.stamp import NodeStamp, Spread, by_node, stamp, stamps_json
from tests.core.node_samples import GIB, MIB, counting, samples


def test_a_stamp_says_how_a_node_was() -> None:
    window = samples(
        10.0,
        sm_mhz=lambda t: 2400.0 + t,
        power_w=lambda t: 50.0 + t,
        temp_c=lambda t: 60.0 + t,
        gpu_util_pct=90.0,
        throttle=lambda t: "sw power cap" if t < 5 else "sw power cap, hw slowdown",
        mem_available_bytes=lambda t: int((40 - t) * GIB),
        swap_used_bytes=lambda t: int(t * MIB),
        swap_out_bytes=counting(MIB),
        rdma_rx_bytes=counting(1000),
        rdma_tx_bytes=counting(1000),
        rdma_errors=counting(1),
        rdma_link_gbps=lambda t: 100.0 if t > 8 else 200.0,
    )
    assert stamp(window) == NodeStamp(
        samples=21,
        sm_mhz=Spread(2400.0, 2405.0, 2410.0),
        power_w=Spread(50.0, 55.0, 60.0),
        gpu_util_median_pct=90.0,
        temp_max_c=70.0,
        throttle=("hw slowdown", "sw power cap"),
        mem_least_left_bytes=30 * GIB,
        swap_max_bytes=10 * MIB,
        swapped_bytes=10 * MIB,
        rdma_link_gbps=100.0,
        rdma_bytes=20_000,
        rdma_errors=10,
    )


def test_what_a_node_does_not_say_stays_unknown() -> None:
    nothing = stamp([])
    assert nothing.samples == 0
    assert {value for name, value in msgspec.structs.asdict(nothing).items() if name != "samples"} == {None, ()}
    assert stamp(samples(5.0, swap_in_bytes=None)).swapped_bytes is None


def test_a_counter_that_began_again_says_nothing() -> None:
    assert stamp(samples(5.0, rdma_errors=lambda t: 0 if t > 3 else 7)).rdma_errors is None


def test_samples_that_came_late_are_put_in_order_and_strangers_left_out() -> None:
    window = [*samples(3.0, node="gf1"), *samples(3.0, node="gf2"), *samples(3.0, node="other")]
    sorted_out = by_node(reversed(window), ["gf1", "gf2", "gf3"])
    assert list(sorted_out) == ["gf1", "gf2", "gf3"]
    assert sorted_out["gf1"] == samples(3.0, node="gf1")
    assert sorted_out["gf3"] == []


def test_stamps_are_json_by_node() -> None:
    said = json.loads(stamps_json({"gf1": samples(2.0), "gf2": []}))
    assert said["gf1"]["sm_mhz"] == {"min": 2411.0, "median": 2411.0, "max": 2411.0}
    assert said["gf2"]["power_w"] is None
