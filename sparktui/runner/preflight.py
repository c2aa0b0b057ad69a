"""A look at every node before the first launch, as `sparktui check` looks: what it finds is told now, not hours later.

Most of what a check calls a problem may still come right, or be no trouble to one topology. So a topology is refused
only for what it certainly needs and a node has not: a program, an image, Docker, an interface. All else is a warning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sparktui.doctor.findings import Finding
from sparktui.doctor.judge import judge
from sparktui.doctor.look import Answers, look
from sparktui.doctor.wanted import questions_for, wanted_of
from sparktui.errors import HostError, LaunchError
from sparktui.profile.model import Profile
from sparktui.runner.journal import Journal
from sparktui.serving.host import Host
from sparktui.serving.plan import Plan

LOOK_S = 30.0
LOOKED_AT_LATER = ("memory", "ports")
"""Right before each launch, by which time they may be others."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What nodes said; one that did not answer in time is left out, and its launch says why."""

    profile: Profile
    said: Mapping[str, Answers]

    def problems(self, topology: str) -> Iterator[Finding]:
        """Yield what is wrong for one topology, node by node."""
        alone = self.profile.model_copy(update={"topologies": {topology: self.profile.topologies[topology]}})
        for node in self.profile.topologies[topology].nodes:
            if node in self.said:
                found = judge(node, wanted_of(alone, node), self.said[node])
                yield from (one for one in found if one.verdict == "problem" and one.subject not in LOOKED_AT_LATER)

    def refusal(self, topology: str) -> LaunchError | None:
        """Return why a topology cannot come up; None where it may."""
        missing = [finding for finding in self.problems(topology) if finding.certain]
        if not missing:
            return None
        what = "; ".join(map(_said, missing))
        return LaunchError(f"not launched: {what}", "; ".join(dict.fromkeys(finding.hint for finding in missing)))


async def look_first(profile: Profile, hosts: Mapping[str, Host], topologies: Collection[str]) -> Preflight:
    """Look at the nodes of some topologies, all at once; at none of a profile that launches nothing on them."""
    if not profile.launches:
        return Preflight(profile, {})
    nodes = dict.fromkeys(node for name in topologies for node in profile.topologies[name].nodes)
    said = await asyncio.gather(*(_ask(profile, node, hosts[node]) for node in nodes))
    return Preflight(profile, {node: answers for node, answers in zip(nodes, said, strict=True) if answers is not None})


async def tell(found: Preflight, topologies: Collection[str], journal: Journal) -> None:
    """Warn of what may keep topologies from coming up; what certainly does is said by each that fails."""
    doubtful = (finding for name in topologies for finding in found.problems(name) if not finding.certain)
    for finding in dict.fromkeys(doubtful):
        await journal.warning(finding.node, "preflight", f"{_said(finding)} ({finding.hint})")


def launchable(found: Preflight, plans: Mapping[str, Plan | LaunchError]) -> dict[str, Plan | LaunchError]:
    """Return the plans, those of topologies that cannot come up replaced by the reason."""
    return {name: found.refusal(name) or plan for name, plan in plans.items()}


def _said(finding: Finding) -> str:
    named = finding.text.startswith(finding.subject)
    return f"{finding.node}: {finding.text if named else f'{finding.subject} {finding.text}'}"


async def _ask(profile: Profile, node: str, host: Host) -> Answers | None:
    try:
        return await look(host, questions_for(wanted_of(profile, node), profile, node), LOOK_S)
    except HostError:
        return None
