"""What a runner hears of an agent, whatever it is: a node that is broken, or not its owner's any more, harms itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.messages import Said, parse, parse_lines
from sparktui.nodes.sample import NodeSample
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.faults import tried

HUGE = st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**400, 1e300, 1e308])
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), HUGE, st.floats(allow_nan=False), st.text(), st.lists(st.none())
)
KINDS = Said.__struct_fields__
READINGS = [name for name in NodeSample.__struct_fields__ if name != "node"]
INSIDE = ("pid", "t", "level", "text", "mark", "killed", "ran", "samples", "guard", "more", "kind", *READINGS)
LINES = st.dictionaries(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(INSIDE), ODD, max_size=6), max_size=3)


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode(errors="surrogatepass"))))
def test_any_bytes_say_something_known_or_nothing(line: bytes) -> None:
    with tried.bad_input():
        assert parse(line) is None or isinstance(parse(line), Said)
        parse_lines(line.decode(errors="replace"))


@given(LINES)
def test_any_line_of_the_right_shape_says_something_known_or_nothing(line: dict[str, Any]) -> None:
    with tried.bad_input():
        parse(json.dumps(line).encode(errors="surrogatepass"))


@pytest.mark.parametrize(
    "line", [b"[" * 200_000, b'{"sample": {"t": 1e999}}', b"\xff" * 100], ids=["nested", "endless number", "no text"]
)
def test_lines_without_a_bottom_say_nothing(line: bytes) -> None:
    with tried.bad_input():
        assert parse(line) is None


def heard() -> st.SearchStrategy[NodeSample]:
    """Samples that the protocol lets through: each reading of its type, and of any size."""

    def made(readings: dict[str, Any]) -> NodeSample | None:
        line = json.dumps({"sample": {"node": "gf1", "heartbeat": 1, "t": 1.0, **readings}}).encode()
        said = parse(line)
        return None if said is None else said.sample

    numbers = st.one_of(st.integers(), HUGE, st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5))
    found = st.dictionaries(st.sampled_from(READINGS), numbers, max_size=4).map(made)
    return found.filter(lambda sample: sample is not None).map(lambda sample: sample or NodeSample(t=1.0, node="gf1"))


@given(samples=st.lists(heard(), max_size=5))
async def test_whatever_an_agent_reports_is_kept_as_far_as_it_can_be_and_read_again(
    tmp_path_factory: pytest.TempPathFactory, samples: list[NodeSample]
) -> None:
    store = tmp_path_factory.mktemp("heard") / "sparktui.db"
    with tried.bad_input():
        async with await Writer.open(store) as writer:
            campaign = await writer.create_campaign(name="x", profile_yaml="", source="measured", host="h", version="0")
            await writer.add_node_samples(campaign, [*samples, NodeSample(t=5.0, node="gf1", heartbeat=9)])
        with Reader(store) as reader:
            kept = [row.sample for row in reader.node_samples_since(campaign)]
            history = reader.node_history(campaign)
            assert history.spans()["gf1"]
            assert history.columns("gf1", 0, 1, 10)
    assert kept[-1].t == 5.0
    assert len(kept) <= len(samples) + 1


async def test_a_reading_that_no_column_holds_is_unknown_and_a_sample_of_no_moment_is_left_out(tmp_path: Path) -> None:
    store = tmp_path / "sparktui.db"
    async with await Writer.open(store) as writer:
        campaign = await writer.create_campaign(name="x", profile_yaml="", source="measured", host="h", version="0")
        await writer.add_node_samples(
            campaign,
            [
                NodeSample(t=1.0, node="gf1", mem_available_bytes=2**70, mem_free_bytes=7, heartbeat=1),
                NodeSample(t=1e300, node="gf1", heartbeat=2),
                NodeSample(t=-1.0, node="gf1", heartbeat=3),
                NodeSample(t=2.0, node="gf1", heartbeat=2**70),
            ],
        )
    with Reader(store) as reader:
        (row,) = reader.node_samples_since(campaign)
    assert (row.sample.mem_available_bytes, row.sample.mem_free_bytes) == (None, 7)
