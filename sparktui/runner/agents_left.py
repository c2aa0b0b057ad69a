"""The agents of a campaign whose runner has died: what they have written since is kept, then they are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from sparktui.errors import HostError
from sparktui.nodes.messages import Said
from sparktui.paths import run_dir
from sparktui.profile.model import Profile
from sparktui.runner.agent_homes import AGENT, AgentHome, homes_of
from sparktui.runner.follow import acted_text
from sparktui.runner.journal import Journal
from sparktui.serving.host import Host
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, LaunchedRow
from sparktui.store.writer import Writer


async def end_agents(
    campaign: CampaignRow,
    profile: Profile,
    hosts: Mapping[str, Host],
    launched: Sequence[LaunchedRow],
    writer: Writer,
) -> list[str]:
    """End the agents among what was launched; return what could not be ended, with the command for it."""
    homes = homes_of(profile, campaign, hosts, run_dir(campaign.id))
    agents = [item for item in launched if item.title == AGENT and item.node in homes]
    journal = Journal(writer, campaign.id)
    return [left for item in agents for left in await _end(homes[item.node], item, journal)]


async def _end(home: AgentHome, item: LaunchedRow, journal: Journal) -> list[str]:
    try:
        await _keep(await home.flight(), home.node, journal)
        await home.clear()
    except HostError as error:
        return [f"the agent of {home.node}: {error.message}" + (f" ({error.hint})" if error.hint else "")]
    await journal.writer.mark_gone(item.id)
    return []


async def _keep(flight: Sequence[Said], node: str, journal: Journal) -> None:
    """Store what a node's own file has of the time that the store knows nothing of."""
    after = await asyncio.to_thread(_known_until, journal, node)
    samples = [said.sample for said in flight if said.sample is not None and said.sample.t > after]
    if samples:
        await journal.writer.add_node_samples(journal.campaign, samples)
        text = f"{node}: {len(samples)} samples taken after the runner had ended have been fetched"
        await journal.info(node, "samples-merged", text, {"samples": len(samples)})
    acts = {said.acted.t: said.acted for said in flight if said.acted is not None and said.acted.t > after}
    for acted in acts.values():
        await journal.error(node, "guard-stop", acted_text(acted, None), msgspec.to_builtins(acted))


def _known_until(journal: Journal, node: str) -> float:
    with Reader(journal.writer.path) as reader:
        row = reader.latest_node_samples(journal.campaign).get(node)
    return 0.0 if row is None else row.sample.t
