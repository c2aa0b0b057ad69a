"""What only shows over all nodes of an engine: zombies, slow links, NCCL on sockets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.health import View, look, unfair_to_cell
from sparktui.nodes.health_engine import Engine, Flow, frozen_s
from sparktui.nodes.health_finding import Finding
from sparktui.nodes.health_link import plateau, step_rates
from tests.core.node_samples import counting, samples

NOW = 1_020.0
GBIT = 1e9 / 8


def flow(seconds: float = 20.0, *, running: float = 4.0, rate: float = 0.0, until: float = NOW) -> list[Flow]:
    """Return an engine's counters, once a second."""
    count = int(seconds) + 1
    return [Flow(until - (count - 1 - i), running, 5_000.0 + rate * i) for i in range(count)]


def found(
    engine_flow: Sequence[Flow],
    nodes: dict[str, dict[str, Any]],
    *,
    client: Sequence[Flow] = (),
    healthy: bool | None = True,
    seconds: float = 20.0,
) -> tuple[Finding, ...]:
    engine = Engine(tuple(nodes), engine_flow, healthy)
    windows = {name: samples(seconds, node=name, **readings) for name, readings in nodes.items()}
    return look(View(now=NOW, topology="cluster-tp2", engines=(engine,), samples=windows, client=client))


ZOMBIE = {"gf2": {"power_w": 31.0}, "gf1": {"power_w": 13.0}}


def test_requests_that_run_without_a_token_on_idle_power_are_a_zombies_and_the_idle_rank_is_named() -> None:
    (finding,) = found(flow(), ZOMBIE)
    assert (finding.kind, finding.node, finding.unfair) == ("zombie", "gf1", True)
    assert "4 requests run, no token for 20 s" in finding.text
    assert "idle is rank 1, gf1 13 W at 96 % utilisation, gf2 31 W at 96 % utilisation" in finding.text


def test_of_equal_power_the_rank_with_the_lower_utilisation_is_the_idle_one() -> None:
    (finding,) = found(flow(), {"gf2": {"power_w": 13.0}, "gf1": {"power_w": 13.0, "gpu_util_pct": 0.0}})
    assert finding.node == "gf1"


@pytest.mark.parametrize(
    ("engine_flow", "healthy"),
    [
        (flow(rate=1.0), True),
        (flow(running=0.0), True),
        (flow(10.0), True),
        (flow(), False),
        (flow(), None),
        (flow(until=NOW - 10), True),
        ([Flow(p.t, p.running, None) for p in flow()], True),
        ([], True),
    ],
)
def test_an_engine_that_makes_tokens_or_has_nothing_to_do_or_is_down_is_no_zombie(
    engine_flow: list[Flow], healthy: bool | None
) -> None:
    kinds = [finding.kind for finding in found(engine_flow, ZOMBIE, healthy=healthy)]
    assert "zombie" not in kinds


def test_a_long_prompt_at_full_power_is_no_zombie() -> None:
    assert found(flow(60.0), {"gf2": {}, "gf1": {}}, seconds=60.0) == ()
    assert found(flow(60.0), {"gf2": {"power_w": None}, "gf1": {"power_w": None}}) == ()


def test_tokens_that_arrive_here_count_though_the_engine_counts_a_request_only_at_its_end() -> None:
    assert found(flow(), {"gf2": {"power_w": 25.0, "temp_c": 90.0}}, client=flow(rate=30.0))[0].kind == "hot"


def test_an_engine_without_metrics_is_judged_by_what_arrives_here() -> None:
    assert [finding.kind for finding in found([], ZOMBIE, client=flow())] == ["zombie"]


def test_of_several_engines_the_sick_one_is_found_by_its_own_counters() -> None:
    windows = {"gf1": samples(node="gf1", power_w=13.0), "gf2": samples(node="gf2")}
    engines = (Engine(("gf1",), flow(), True), Engine(("gf2",), flow(rate=30.0), True))
    view = View(now=NOW, topology="shuffle", engines=engines, samples=windows, client=flow(rate=30.0))
    (finding,) = look(view)
    assert (finding.kind, finding.node) == ("zombie", "gf1")
    assert "rank" not in finding.text


@pytest.mark.parametrize("since_s", range(14))
def test_a_clock_is_not_called_stuck_while_a_zombie_may_be_behind_it(since_s: int) -> None:
    until_then = flow(30.0 - since_s, rate=30.0, until=NOW - since_s)
    stopped = [Flow(NOW - since_s + 1 + i, 4.0, until_then[-1].tokens) for i in range(since_s)]
    cold = {"temp_c": 50.0, "power_w": lambda t: 13.0 if t > 30.0 - since_s else 62.0}
    assert found([*until_then, *stopped], {"gf2": cold, "gf1": cold}, seconds=30.0) == ()


@given(st.lists(st.tuples(st.floats(0, 8), st.floats(0, 1e6)), max_size=40))
def test_time_frozen_never_exceeds_what_was_seen(points: list[tuple[float, float]]) -> None:
    series = [Flow(NOW - len(points) + i, running, tokens) for i, (running, tokens) in enumerate(points)]
    assert 0.0 <= frozen_s(series, NOW) <= max(0, len(points) - 1)


def carrying(gbps: float, **readings: Any) -> dict[str, Any]:
    counter = counting(gbps * GBIT)
    return {"rdma_rx_bytes": counter, "rdma_tx_bytes": counter, **readings}


WAITING = {"power_w": 41.0}


def test_a_link_that_carries_a_flat_13_of_200_while_the_gpus_wait_is_slow() -> None:
    (finding,) = found(flow(rate=30.0), {"gf2": carrying(13.0, **WAITING), "gf1": carrying(13.0, **WAITING)})
    assert (finding.kind, finding.unfair) == ("slow-link", True)
    assert "between gf2 and gf1" in finding.text
    assert "negotiated at 200 Gbit/s, it carries a flat 13.0 Gbit/s" in finding.text
    assert "41 W" in finding.text


@pytest.mark.parametrize(
    "readings",
    [
        carrying(13.0),
        carrying(13.0, power_w=None),
        carrying(13.0, **WAITING, gpu_util_pct=50.0),
        carrying(13.0, **WAITING, rdma_link_gbps=25.0),
        carrying(13.0, **WAITING, rdma_link_gbps=None),
        carrying(1.3, **WAITING),
        carrying(24.0, **WAITING),
        carrying(0.0, **WAITING),
    ],
)
def test_a_link_is_not_slow_where_the_gpu_works_or_another_ceiling_is_likelier(readings: dict[str, Any]) -> None:
    assert found(flow(rate=30.0), {"gf2": readings, "gf1": readings}) == ()


def test_a_link_that_goes_up_and_down_with_the_load_is_not_slow() -> None:
    wandering = {name: lambda t: int(GBIT * (13 * t + 40 * (t % 4))) for name in ("rdma_rx_bytes", "rdma_tx_bytes")}
    assert found(flow(rate=30.0), {"gf2": wandering | WAITING, "gf1": {}}) == ()


def test_a_ceiling_is_seen_through_pauses_between_waves() -> None:
    steps = [(1.0, 13.0), (1.0, 12.9), (1.0, 0.2), (1.0, 6.0)] * 6
    level, seconds = plateau(steps) or (0.0, 0.0)
    assert level == pytest.approx(13.0, abs=0.2)
    assert seconds == 12.0


def test_what_is_got_over_now_and_then_is_no_ceiling() -> None:
    assert plateau([(1.0, 13.0)] * 14) is not None
    assert plateau([(1.0, 13.0)] * 14 + [(1.0, 20.0)] * 3) is None


@given(st.lists(st.tuples(st.floats(0.5, 2), st.floats(0, 220)), max_size=60))
def test_a_plateau_lies_within_the_load_and_lasts_no_longer_than_it(steps: list[tuple[float, float]]) -> None:
    if (flat := plateau(steps)) is not None:
        level, seconds = flat
        assert min(gbps for _, gbps in steps) <= level <= max(gbps for _, gbps in steps)
        assert seconds <= sum(length for length, _ in steps) + 1e-6


def test_a_gap_in_the_counters_makes_no_rate() -> None:
    window = samples(6.0, **carrying(13.0))
    cut = [s for s in window if not 1_002.0 <= s.t <= 1_004.0]
    assert all(rate == pytest.approx(13.0, rel=1e-6) for _, rate in step_rates(cut))


ON_SOCKETS = {"net_rx_bytes": counting(20e6), "net_tx_bytes": counting(20e6)}


def test_a_cluster_whose_tokens_cost_plain_bytes_and_no_rdma_is_on_sockets() -> None:
    (finding,) = found(flow(rate=30.0), {"gf2": ON_SOCKETS, "gf1": ON_SOCKETS})
    assert (finding.kind, finding.unfair) == ("nccl-on-sockets", False)
    assert "gf2 moved 400 MB on its ordinary interfaces and 0 MB over RDMA" in finding.text


@pytest.mark.parametrize(
    "readings",
    [
        ON_SOCKETS | carrying(1.0),
        ON_SOCKETS | {"rdma_link_gbps": None},
        ON_SOCKETS | {"rdma_rx_bytes": None},
        {"net_rx_bytes": counting(50e3), "net_tx_bytes": counting(50e3)},
    ],
)
def test_a_cluster_on_rdma_or_without_it_or_with_little_to_say_is_not_on_sockets(readings: dict[str, Any]) -> None:
    assert found(flow(rate=30.0), {"gf2": readings, "gf1": readings}) == ()


def test_plain_traffic_without_tokens_is_no_nccl() -> None:
    assert found(flow(running=0.0), {"gf2": ON_SOCKETS, "gf1": ON_SOCKETS}) == ()


def test_a_single_node_has_no_link_to_be_slow() -> None:
    assert found(flow(rate=30.0), {"gf2": ON_SOCKETS | carrying(13.0, **WAITING)}) == ()


def test_a_gpu_that_waits_for_its_peer_has_no_stuck_clock() -> None:
    waiting = carrying(13.0, power_w=30.0)
    assert [f.kind for f in found(flow(rate=30.0), {"gf2": waiting, "gf1": waiting})] == ["slow-link"]


def test_a_cell_is_tainted_by_what_stood_and_by_what_its_own_samples_say_each_once() -> None:
    stuck = samples(6.0, sm_mhz=850.0, temp_c=46.0)
    told = [Finding("hot", "gf1", "", "hot"), Finding("swapping", "gf2", "", "gf2 was swapping")]
    unfair = unfair_to_cell([*told, *told], {"gf1": stuck}, [("gf1",), ("gf2",)])
    assert sorted(finding.kind for finding in unfair) == ["stuck-clock", "swapping"]
    slow = Finding("slow-link", "gf2", "", "the link was slow")
    assert [f.kind for f in unfair_to_cell([slow], {"gf1": stuck}, [("gf2", "gf1")])] == ["slow-link"]


STUCK = {"sm_mhz": 850.0, "temp_c": 46.0}


@pytest.mark.parametrize(
    ("engine_flow", "client", "told"),
    [
        (flow(rate=30.0), [], True),
        ([], flow(rate=30.0), True),
        (flow(), flow(rate=30.0), True),
        (flow(running=0.0), [], False),
        (flow(rate=30.0, until=NOW - 4), [], True),
        (flow(rate=30.0, until=NOW - 16), [], False),
        ([], [], False),
    ],
)
def test_a_clock_is_stuck_only_while_tokens_are_made(engine_flow: list[Flow], client: list[Flow], told: bool) -> None:
    kinds = [finding.kind for finding in found(engine_flow, {"gf2": STUCK}, client=client)]
    assert kinds == (["stuck-clock"] if told else [])
