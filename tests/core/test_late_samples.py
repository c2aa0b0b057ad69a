"""Samples that were fetched after a broken link are stored behind newer ones; readers go by time."""

from __future__ import annotations

from pathlib import Path

from sparktui.nodes.sample import NodeSample
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer


def sample(t: float) -> NodeSample:
    return NodeSample(t=t, node="gf1", power_w=t)


async def test_the_newest_sample_is_the_newest_by_time_and_power_is_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="x", profile_yaml="", source="measured", host="h", version="0", state="running"
        )
        await writer.add_node_samples(campaign, [sample(1.0), sample(5.0)])
        await writer.add_node_samples(campaign, [sample(2.0), sample(3.0)])
    with Reader(path) as reader:
        assert reader.latest_node_samples(campaign)["gf1"].sample.t == 5.0
        assert [row[1] for row in reader.power_samples(campaign, 0, 10)] == [1.0, 2.0, 3.0, 5.0]
