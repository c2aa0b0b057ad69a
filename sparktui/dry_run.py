"""What `run --dry-run` prints: every command as it would be typed on its node, and whether the nodes can take it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import click

from sparktui.doctor.readings import read_nodes, verdicts
from sparktui.errors import LaunchError
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.verdict import Verdict
from sparktui.paths import data_dir, store_path
from sparktui.profile.model import Profile
from sparktui.runner.plans import make_plans
from sparktui.serving.plan import Plan
from sparktui.serving.render import render


def print_plan(profile: Profile) -> None:
    """Print what would be typed on which node for every topology, or why one cannot be launched."""
    plans, samples = asyncio.run(_asked(profile))
    judged = verdicts(profile, store_path(), samples)
    click.echo("\n".join(plan_text(name, plan, judged[name].values()) for name, plan in plans.items()), nl=False)


async def _asked(profile: Profile) -> tuple[dict[str, Plan | LaunchError], dict[str, NodeSample]]:
    return await make_plans(profile, Path(data_dir()) / "run" / "N"), await read_nodes(profile)


def plan_text(name: str, plan: Plan | LaunchError, judged: Iterable[Verdict]) -> str:
    """Return what would be typed for one topology and what is said of its nodes, or why it cannot be launched."""
    if isinstance(plan, LaunchError):
        return f"# {name}: cannot be launched: {plan.message}\n"
    return render(plan, [verdict.text for verdict in judged if verdict.basis != "running"])
