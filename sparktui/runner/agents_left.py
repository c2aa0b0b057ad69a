"""The agents of a campaign whose runner has died: what they have written since is kept, then they are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sparktui.errors import HostError
from sparktui.nodes.messages import Said
from sparktui.paths import run_dir
from sparktui.profile.model import Profile
from sparktui.runner.agent_homes import AGENT, AgentHome, homes_of
from sparktui.runner.guard_words import GuardWords
from sparktui.runner.journal import Journal
from sparktui.runner.notes import Notes
from sparktui.serving.host import Host
from sparktui.store.rows import CampaignRow, LaunchedRow
from sparktui.store.writer import Writer


@dataclass(slots=True)
class Ended:
    """What came of ending the agents."""

    left: list[str] = field(default_factory=list)
    """What could not be ended, with the command for it."""
    stops: list[str] = field(default_factory=list)
    """What guards did after the runner had died, each in a sentence."""


async def end_agents(
    campaign: CampaignRow,
    profile: Profile,
    hosts: Mapping[str, Host],
    launched: Sequence[LaunchedRow],
    writer: Writer,
) -> Ended:
    """Keep what the agents among what was launched have written, and end them."""
    homes = homes_of(profile, campaign, hosts, run_dir(campaign.id))
    ended, journal = Ended(), Journal(writer, campaign.id)
    for item in launched:
        if item.title == AGENT and item.node in homes:
            await _end(homes[item.node], item, journal, ended)
    return ended


async def _end(home: AgentHome, item: LaunchedRow, journal: Journal, ended: Ended) -> None:
    try:
        await _keep(await home.flight(), home.node, journal, ended.stops)
        await home.clear()
    except HostError as error:
        ended.left.append(f"the agent of {home.node}: {error.message}" + (f" ({error.hint})" if error.hint else ""))
    else:
        notes = Notes.of(journal.campaign, journal.writer.path.parent)
        await asyncio.to_thread(notes.strike, home.mark, item.id)
        await journal.writer.mark_gone(item.id)


async def _keep(flight: Sequence[Said], node: str, journal: Journal, stops: list[str]) -> None:
    """Store what a node's own file has and the store has not; note what its guard did."""
    samples = [said.sample for said in flight if said.sample is not None]
    if fetched := await journal.writer.add_node_samples(journal.campaign, samples):
        text = f"{node}: {len(fetched)} samples taken after the runner had ended have been fetched"
        await journal.info(node, "samples-merged", text, {"samples": len(fetched)})
    guard, what = await GuardWords.of(node, journal, lambda _, text, __: stops.append(text)), ""
    for said in flight:
        if said.note is not None:
            what = said.note.what
        elif said.guard is not None:
            await guard.news(said.guard, what)
        elif said.acted is not None:
            await guard.acted(said.acted, what)
    await guard.unheard(what)
