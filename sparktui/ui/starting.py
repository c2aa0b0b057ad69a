"""What is asked before a race starts: nothing of a rehearsal, and what would happen to which nodes of a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparktui.ui.dialogs import ConfirmDialog
from sparktui.units import duration

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sparktui.doctor.findings import Finding
    from sparktui.profile.model import Profile
    from sparktui.prospect import Prospect

MOST_LINES = 6
"""Of what is wrong: a question must fit on 24 lines."""


def start_question(
    name: str,
    profile: Profile,
    only: tuple[str, ...] | None,
    expected_s: float | None = None,
    trouble: Sequence[str] = (),
) -> ConfirmDialog:
    """Return what to ask before a race is started that is not simulated.

    Args:
        name: Of the profile.
        profile: The profile.
        only: Its topologies to race; None for all.
        expected_s: How long they take, where that is known.
        trouble: What is known to be wrong with their nodes.
    """
    topologies = tuple(profile.topologies) if only is None else only
    length = f" About {duration(expected_s)}." if expected_s is not None else ""
    consequence = _consequence(profile, topologies) + length
    return ConfirmDialog(f"Start {name}?", consequence, "Start it", dangerous=False, but=trouble)


def known_trouble(
    profile: Profile, topologies: Collection[str], prospect: Prospect, findings: Sequence[Finding]
) -> tuple[str, ...]:
    """Return what a look at the nodes of some topologies has found wrong with them, as far as there is room.

    Args:
        profile: The profile.
        topologies: Those that would be raced.
        prospect: What is known of them, once their nodes have been asked.
        findings: Of the last thorough look; none where nobody has asked for one.
    """
    nodes = dict.fromkeys(node for name in topologies for node in profile.topologies[name].nodes)
    problems = [finding for finding in findings if finding.verdict == "problem" and finding.node in nodes]
    told = {finding.node for finding in problems}
    lines = [f"{node} does not answer: c says why" for node in nodes if node not in {*prospect.samples, *told}]
    lines += [f"PROBLEM {finding.node}: {finding.subject} {finding.text}" for finding in problems]
    rest = len(lines) - MOST_LINES
    return (*lines[:MOST_LINES], *([f"and {rest} more: c shows all"] if rest > 0 else []))


def _consequence(profile: Profile, topologies: tuple[str, ...]) -> str:
    if profile.serving.launcher == "external":
        return f"Load is sent to {profile.serving.url}, which others may be using; nothing is launched."
    nodes = dict.fromkeys(node for name in topologies for node in profile.topologies[name].nodes)
    return (
        f"Real engines are launched on {', '.join(nodes)}, one topology after another: {', '.join(topologies)}. "
        "Launch's d shows the exact commands."
    )
