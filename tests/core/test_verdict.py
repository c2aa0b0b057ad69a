from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.guard import GIB
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.verdict import Verdict, judge, limits
from sparktui.profile.catalog import find_profile
from sparktui.profile.loader import load_profile, parse_profile
from sparktui.profile.model import Model, Profile, Vllm

SPARK_BYTES = 127_600_748 * 1024
"""MemTotal of a DGX Spark."""

PUBLISHED = load_profile(find_profile("gemma4-26b-a4b"))
SERVING = "{launcher: vllm, gpu_memory_utilization: 0.7}"


def spark(node: str, left_gib: float | None, unified: bool | None = True) -> NodeSample:
    left = None if left_gib is None else round(left_gib * GIB)
    return NodeSample(t=0, node=node, mem_total_bytes=SPARK_BYTES, mem_available_bytes=left, unified=unified)


def profile(serving: str = SERVING, *, model: str = "weights_gib: 30", memory: str = "{}", own: str = "") -> Profile:
    return parse_profile(
        f"""\
name: n
nodes:
  a: {{host: a, address: 10.0.0.1, fragile: true{own}}}
  b: {{host: b, address: 10.0.0.2}}
model: {{id: org/m, {model}}}
serving: {serving}
topologies:
  solo: {{kind: solo, nodes: [a]}}
memory: {memory}
""",
        "n.yaml",
    )


def both(left_a: float, left_b: float) -> dict[str, NodeSample]:
    return {"gf1": spark("gf1", left_a), "gf2": spark("gf2", left_b)}


def solo(
    of: Profile, left_gib: float | None = 118.4, earlier: Sequence[float] = (), unified: bool | None = True
) -> Verdict:
    history = {"a": [round(size * GIB) for size in earlier]}
    return judge(of, "solo", {"a": spark("a", left_gib, unified)}, history)["a"]


def in_gib(size_bytes: int | None) -> float | None:
    return None if size_bytes is None else round(size_bytes / GIB, 1)


PLAIN = profile()


# What was published


@pytest.mark.parametrize("topology", PUBLISHED.topologies)
def test_every_topology_of_the_published_profile_is_safe_on_its_nodes(topology: str) -> None:
    verdicts = judge(PUBLISHED, topology, both(118.4, 119.0), {})
    assert {verdict.level for verdict in verdicts.values()} == {"safe"}
    assert list(verdicts) == list(PUBLISHED.topologies[topology].nodes)


def test_the_fragile_node_of_the_published_profile_is_safe_with_the_arithmetic_shown() -> None:
    gf1 = judge(PUBLISHED, "cluster-tp2", both(118.4, 119.0), {})["gf1"]
    assert gf1.text == "gf1 safe: 118.4 left - 88.2 needed = 30.2 GiB, over the 20 GiB a launch must leave"
    assert gf1.how == "0.70 of 121.7 GiB is 85.2 and 3 GiB beside the GPU's"
    assert gf1.basis == "utilization"


def test_the_published_weights_are_what_each_rank_was_seen_to_hold() -> None:
    assert PUBLISHED.model.rank_weights_gib(1) == 25.67
    assert PUBLISHED.model.rank_weights_gib(2) == 13.57


# Refused


def test_a_refusal_shows_its_arithmetic_and_what_would_fit() -> None:
    verdict = solo(profile("{launcher: vllm, gpu_memory_utilization: 0.83}"))
    assert verdict.level == "refuse"
    assert (
        verdict.text
        == "a refuse: 118.4 left - 104.0 needed = 14.4 GiB, under the 20 GiB a launch must leave; 0.78 would fit"
    )
    assert verdict.hint.startswith("set gpu_memory_utilization to 0.78, ")


@given(share=st.integers(5, 100), left=st.floats(0, 121), weights=st.floats(0, 60))
def test_what_would_fit_does_and_a_hundredth_more_does_not(share: int, left: float, weights: float) -> None:
    def at(hundredths: int) -> Verdict:
        serving = Vllm(launcher="vllm", gpu_memory_utilization=hundredths / 100)
        model = Model(id="org/m", weights_gib=weights)
        return solo(PLAIN.model_copy(update={"serving": serving, "model": model}), left)

    verdict = at(share)
    if verdict.fits is not None:
        fits = round(verdict.fits * 100)
        assert verdict.level == "refuse"
        assert at(fits).level != "refuse"
        assert at(fits + 1).level == "refuse"


def test_no_utilization_is_offered_that_would_not_hold_the_weights() -> None:
    verdict = solo(profile("{launcher: vllm, gpu_memory_utilization: 0.9}", model="weights_gib: 100"))
    assert (verdict.level, verdict.fits) == ("refuse", None)
    assert "would fit" not in verdict.text
    assert verdict.hint.startswith("free memory on a")


def test_a_node_already_under_its_floor_is_refused_whatever_is_to_run() -> None:
    verdict = solo(profile("{launcher: command, argv: [serve]}", model="tokenizer: t"), 12)
    assert verdict.level == "refuse"
    assert verdict.text == "a refuse: 12.0 GiB left, under the 20 GiB a launch must leave; what solo needs is not known"


def test_an_ordinary_node_is_refused_later_than_a_fragile_one() -> None:
    fragile = profile("{launcher: vllm, gpu_memory_utilization: 0.8}")
    described = fragile.nodes["a"].model_copy(update={"fragile": False})
    ordinary = fragile.model_copy(update={"nodes": fragile.nodes | {"a": described}})
    assert [solo(each, 110).level for each in (fragile, ordinary)] == ["refuse", "tight"]


# Tight and safe


@pytest.mark.parametrize(
    ("left_gib", "expected"), [(116.3, "safe"), (116.1, "tight"), (108.3, "tight"), (108.1, "refuse")]
)
def test_tight_is_over_the_floor_by_less_than_the_prediction_may_be_wrong_by(left_gib: float, expected: str) -> None:
    assert solo(profile(), left_gib).level == expected  # needs 88.2; floor 20, margin 8


def test_the_margin_and_the_host_side_are_the_profiles() -> None:
    of = profile(memory="{margin_gib: 2, host_gib: 0}")
    assert solo(of, 108).level == "safe"
    assert in_gib(solo(of, 108).needed_bytes) == 85.2


# What it rests on


def test_a_nodes_own_history_goes_before_arithmetic() -> None:
    verdict = solo(profile(), 118.4, earlier=(91.0, 93.5, 90.2))
    assert verdict.basis == "history"
    assert in_gib(verdict.needed_bytes) == 93.5
    assert verdict.how == "the most that solo took there in its last 3 runs"
    assert in_gib(verdict.margin_bytes) == 4


def test_a_refusal_by_history_still_says_which_utilization_would_fit() -> None:
    assert solo(profile(), 118.4, earlier=(104.2,)).text == (
        "a refuse: 118.4 left - 104.2 needed = 14.2 GiB, under the 20 GiB a launch must leave; 0.65 would fit"
    )


def test_weights_larger_than_the_utilization_count_in_full() -> None:
    assert in_gib(solo(profile(model="weights_gib: 90")).needed_bytes) == 93.0


@pytest.mark.parametrize(
    "serving",
    [
        "{launcher: vllm, gpu_memory_utilization: 0.7, extra_args: [--gpu-memory-utilization, '0.5']}",
        "{launcher: vllm, extra_args: [--gpu_memory_utilization=0.5]}",
        "{launcher: recipe, recipe: r, image: i, extra_args: [--gpu-memory-utilization=0.5]}",
        "{launcher: docker, image: i, argv: [--model, m, --gpu-memory-utilization, '0.5']}",
        "{launcher: command, argv: [vllm, serve, --gpu-memory-utilization, '0.9', --gpu-memory-utilization, '0.5']}",
    ],
)
def test_the_utilization_is_found_wherever_the_profile_says_it(serving: str) -> None:
    assert in_gib(solo(profile(serving)).needed_bytes) == 63.8


def test_plain_vllm_without_a_utilization_takes_its_default() -> None:
    verdict = solo(profile("{launcher: vllm}"))
    assert verdict.how.startswith("0.92 of 121.7 GiB")
    assert verdict.level == "refuse"


@pytest.mark.parametrize(
    "serving",
    [
        "{launcher: recipe, recipe: r, image: i}",
        "{launcher: docker, image: i}",
        "{launcher: command, argv: [serve, --gpu-memory-utilization, much]}",
        "{launcher: vllm, gpu_memory_utilization: 0.7, extra_args: [--kv-cache-memory-bytes, '1000']}",
    ],
)
def test_weights_alone_are_only_the_least_it_takes_and_never_safe(serving: str) -> None:
    verdict = solo(profile(serving))
    assert (verdict.level, verdict.basis, verdict.least) == ("unknown", "weights", True)
    assert verdict.text == (
        "a unknown: 118.4 left - at least 33.0 needed = at most 85.4 GiB; what else it takes is not known"
    )
    assert verdict.predicted_left_bytes is None
    assert solo(profile(serving), 50).level == "refuse"


def test_a_gpu_with_memory_of_its_own_leaves_the_node_the_host_side() -> None:
    verdict = solo(profile(), 40, unified=False)
    assert (verdict.level, verdict.basis) == ("safe", "host")
    assert in_gib(verdict.needed_bytes) == 3


def test_two_engines_on_one_machine_take_twice_as_much() -> None:
    of = profile()
    shared = of.model_copy(
        update={
            "nodes": {name: node.model_copy(update={"host": "local"}) for name, node in of.nodes.items()},
            "topologies": {"solo": of.topologies["solo"].model_copy(update={"kind": "replicas", "nodes": ("a", "b")})},
        }
    )
    assert in_gib(solo(shared).needed_bytes) == 176.4


def test_a_rank_holds_what_the_profile_says_or_its_part() -> None:
    def ranks(model: str) -> float | None:
        of = profile("{launcher: docker, image: i}", model=model)
        pair = of.topologies["solo"].model_copy(update={"kind": "cluster", "nodes": ("a", "b")})
        return in_gib(solo(of.model_copy(update={"topologies": {"solo": pair}})).needed_bytes)

    assert ranks("weights_gib: 25.67, weights_gib_per_rank: 13.57") == 16.6
    assert ranks("weights_gib: 25.67") == 15.8


# What is not known


@pytest.mark.parametrize("left_gib", [None, 5, 118.4])
@pytest.mark.parametrize("unified", [None, False, True])
@pytest.mark.parametrize("serving", [SERVING, "{launcher: docker, image: i}"])
def test_what_is_not_known_is_never_safe(left_gib: float | None, unified: bool | None, serving: str) -> None:
    verdict = solo(profile(serving, model="tokenizer: t"), left_gib, unified=unified)
    if None in (verdict.left_bytes, verdict.needed_bytes):
        assert verdict.level in ("unknown", "refuse")
        assert verdict.remainder_bytes is None
        assert "not known" in verdict.text


def test_a_node_that_said_nothing_is_unknown() -> None:
    verdict = judge(profile(), "solo", {}, {"a": [GIB]})["a"]
    assert (verdict.level, verdict.text) == ("unknown", "a unknown: what it has left is not known")


def test_a_server_that_is_up_already_is_never_refused() -> None:
    external = profile("{launcher: external, url: 'http://127.0.0.1:8000'}")
    assert [solo(external, left).level for left in (40, 5, None)] == ["safe", "tight", "unknown"]
    assert solo(external, 5).text == "a tight: 5.0 GiB left, and nothing is launched there"
    assert solo(external, 40).predicted_left_bytes is None


def test_the_simulated_race_is_safe() -> None:
    demo = load_profile(find_profile("demo"))
    for topology in demo.topologies:
        assert {verdict.level for verdict in judge(demo, topology, both(118.4, 118.4), {}).values()} == {"safe"}


# What the guard goes by


def test_a_node_may_have_floors_of_its_own_and_the_others_of_its_kind() -> None:
    loaded = profile(own=", floors: {refuse_gib: 12, serving_stop_gib: 9}")
    floors = loaded.floors("a")
    assert (floors.refuse_gib, floors.serving_stop_gib, floors.loading_stop_gib, floors.warn_gib) == (12, 9, 16, 12)
    assert [solo(each, 102).level for each in (PLAIN, loaded)] == ["refuse", "tight"]
    assert limits(loaded, "a", None).serving_stop_bytes == 9 * GIB


def test_what_counts_as_a_fall_and_as_its_end_is_in_the_profile() -> None:
    memory = "{real_fall_gib_s: 1.5, clear_above_gib: 2, clear_s: 5}"
    found = limits(profile(memory=memory), "a", None)
    assert (found.real_fall_bytes_s, found.clear_above_bytes, found.clear_s) == (GIB * 3 // 2, 2 * GIB, 5)


def test_the_guard_gets_the_floors_and_the_predicted_remainder() -> None:
    gf1 = judge(PUBLISHED, "cluster-tp2", both(118.4, 119.0), {})["gf1"]
    found = limits(PUBLISHED, "gf1", gf1)
    assert (found.warn_bytes, found.loading_stop_bytes, found.serving_stop_bytes) == (12 * GIB, 16 * GIB, 6 * GIB)
    assert in_gib(found.predicted_left_bytes) == 30.2
    assert found.predicted_margin_bytes == 8 * GIB


def test_a_prediction_from_history_has_the_narrower_margin() -> None:
    of = profile()
    assert limits(of, "a", solo(of, earlier=(90.0,))).predicted_margin_bytes == 4 * GIB


def test_without_a_verdict_the_guard_has_its_floors_alone() -> None:
    assert limits(PUBLISHED, "gf2", None).predicted_left_bytes is None


def test_a_verdict_can_be_stored_and_read_again() -> None:
    verdict = solo(profile())
    assert msgspec.json.decode(verdict.to_json(), type=Verdict) == verdict


SAMPLES: st.SearchStrategy[Mapping[str, NodeSample]] = st.dictionaries(
    st.sampled_from(["gf1", "gf2"]),
    st.builds(
        NodeSample,
        t=st.just(0.0),
        node=st.just("gf"),
        mem_total_bytes=st.none() | st.integers(1, 200 * GIB),
        mem_available_bytes=st.none() | st.integers(0, 200 * GIB),
        unified=st.none() | st.booleans(),
    ),
)


@given(SAMPLES, st.dictionaries(st.sampled_from(["gf1", "gf2"]), st.lists(st.integers(0, 200 * GIB), max_size=3)))
def test_any_reading_gives_a_verdict_with_a_sentence(
    samples: Mapping[str, NodeSample], history: Mapping[str, Sequence[int]]
) -> None:
    for topology in PUBLISHED.topologies:
        for name, verdict in judge(PUBLISHED, topology, samples, history).items():
            assert verdict.text.startswith(f"{name} {verdict.level}: ")
            assert "None" not in verdict.text
            assert (verdict.level == "refuse") >= (verdict.fits is not None)


def test_where_no_gpu_tells_of_its_memory_the_hint_says_so() -> None:
    assert solo(profile(), unified=None).hint.startswith("no GPU on a tells")
    assert solo(profile("{launcher: docker, image: i}")).hint.startswith("say gpu_memory_utilization")


def test_a_utilization_is_no_remedy_where_the_gpu_has_its_own_memory() -> None:
    verdict = solo(profile(), 15, unified=False)
    assert (verdict.level, verdict.fits) == ("refuse", None)
