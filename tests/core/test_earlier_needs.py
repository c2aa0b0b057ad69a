from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.profile.loader import dump_profile, parse_profile
from sparktui.profile.model import Profile
from sparktui.runner.earlier_needs import REMEMBERED, earlier_needs
from sparktui.store.writer import Writer

PROFILE = """\
name: pair
nodes:
  a: {host: a, address: 10.0.0.1}
  b: {host: b, address: 10.0.0.2}
model: {id: org/m}
serving: {launcher: vllm, gpu_memory_utilization: 0.8}
topologies:
  solo: {kind: solo, nodes: [a]}
  pair: {kind: cluster, nodes: [a, b]}
"""
NOW = parse_profile(PROFILE, "pair.yaml")


async def launched(
    store: Path,
    took: dict[str, int],
    *,
    profile: str = PROFILE,
    topology: str = "pair",
    state: str = "done",
    ready: bool = True,
) -> None:
    """A campaign in which a topology took so much of its nodes."""
    async with await Writer.open(store) as writer:
        stored = dump_profile(parse_profile(profile, "pair.yaml"))
        name = parse_profile(profile, "pair.yaml").name
        campaign = await writer.create_campaign(
            name=name, profile_yaml=stored, source="measured", host="h", version="1"
        )
        sweep = await writer.create_sweep(campaign, 0, topology, fingerprint="{}")
        for step in ("launching", "measuring", state) if ready else ("launching", state):
            await writer.set_sweep_state(sweep, step)
        for node, size in took.items():
            await writer.set_sweep_node(sweep, node, left_before_bytes=1000, least_left_bytes=1000 - size)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_the_newest_comes_first_and_each_node_has_its_own(store: Path) -> None:
    await launched(store, {"a": 10, "b": 20})
    await launched(store, {"a": 11, "b": 21})
    assert earlier_needs(store, NOW, "pair") == {"a": (11, 10), "b": (21, 20)}


async def test_another_topology_says_nothing(store: Path) -> None:
    await launched(store, {"a": 10}, topology="solo")
    assert earlier_needs(store, NOW, "pair") == {}
    assert earlier_needs(store, NOW, "solo") == {"a": (10,)}


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("0.8", "0.9"),
        ("org/m", "org/n"),
        ("nodes: [a, b]", "nodes: [b, a]"),
        ("nodes: [a, b]", "nodes: [a, b], max_model_len: 4096"),
        ("host: b", "host: c"),
        ("name: pair", "name: other"),
    ],
)
async def test_only_the_very_same_launch_counts(was: str, instead: str, store: Path) -> None:
    await launched(store, {"a": 10}, profile=PROFILE.replace(was, instead))
    assert earlier_needs(store, NOW, "pair") == {}


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("host: a,", "host: a, fragile: true,"),
        ("nodes: [a, b]", "nodes: [a, b], description: two"),
        ("topologies:", "workload: {runs: 7}\ntopologies:"),
    ],
)
async def test_what_is_no_part_of_a_launch_does_not_matter(was: str, instead: str, store: Path) -> None:
    await launched(store, {"a": 10}, profile=PROFILE.replace(was, instead))
    assert earlier_needs(store, NOW, "pair") == {"a": (10,)}


@pytest.mark.parametrize(("state", "counts"), [("done", True), ("stopped", True), ("guard", False), ("failed", False)])
async def test_what_went_wrong_does_not_count(state: str, counts: bool, store: Path) -> None:
    await launched(store, {"a": 10}, state=state)
    assert bool(earlier_needs(store, NOW, "pair")) is counts


async def test_what_never_served_does_not_count(store: Path) -> None:
    await launched(store, {"a": 10}, state="stopped", ready=False)
    assert earlier_needs(store, NOW, "pair") == {}


async def test_only_the_last_few_count(store: Path) -> None:
    for size in range(REMEMBERED + 3):
        await launched(store, {"a": size})
    assert len(earlier_needs(store, NOW, "pair")["a"]) == REMEMBERED


def test_without_a_store_there_is_no_history(tmp_path: Path) -> None:
    assert earlier_needs(tmp_path / "none.db", NOW, "pair") == {}


def unread(profile: Profile) -> str:
    return dump_profile(profile) + "a_key_of_the_future: 1\n"


async def test_a_profile_that_cannot_be_read_any_more_is_passed_over(store: Path) -> None:
    async with await Writer.open(store) as writer:
        campaign = await writer.create_campaign(
            name="pair", profile_yaml=unread(NOW), source="measured", host="h", version="9"
        )
        sweep = await writer.create_sweep(campaign, 0, "pair", fingerprint="{}")
        for state in ("launching", "measuring", "done"):
            await writer.set_sweep_state(sweep, state)
        await writer.set_sweep_node(sweep, "a", left_before_bytes=1000, least_left_bytes=1)
    assert earlier_needs(store, NOW, "pair") == {}
