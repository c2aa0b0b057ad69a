"""The plans of a campaign: what the pure planner cannot know is found out here, once, before anything is started."""

from __future__ import annotations

import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from sparktui.errors import LaunchError, SparktuiError
from sparktui.profile.model import Profile, Recipe
from sparktui.runner.hosts import hosts_of
from sparktui.serving.plan import Plan
from sparktui.serving.planner import assign_ports, plan
from sparktui.serving.recipe import FOLDER, TODAY, known_flags

HELP_TIMEOUT_S = 30.0
NODES = "nodes"
"""The folder, in a campaign's own, where simulated nodes keep their state."""


async def make_plans(profile: Profile, folder: Path) -> dict[str, Plan | LaunchError]:
    """Return a plan for every topology, in the profile's order; or why it cannot be launched here."""
    flags = await _recipe_flags(profile)
    free = free_ports()
    return {name: _planned(profile, name, free, folder, flags) for name in profile.topologies}


def forget_simulated(folder: Path) -> None:
    """Remove what simulated nodes have kept of themselves, once nothing runs on them any more."""
    shutil.rmtree(folder / NODES, ignore_errors=True)


def _planned(
    profile: Profile, name: str, free: Iterator[int], folder: Path, flags: frozenset[str]
) -> Plan | LaunchError:
    try:
        return plan(profile, name, assign_ports(profile, name, free), folder / NODES, recipe_flags=flags)
    except LaunchError as error:
        return error


def made_up_secrets(plan: Plan) -> dict[str, str]:
    """Return a secret for every variable that a plan's steps need one in: new at each launch, kept nowhere."""
    return {name: f"sk-{secrets.token_urlsafe(24)}" for step in plan.steps for name in step.secret_env}


def free_ports() -> Iterator[int]:
    """Yield ports that are free on the loopback address now, none of them twice."""
    given: set[int] = set()
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in given:
            given.add(port)
            yield port


async def _recipe_flags(profile: Profile) -> frozenset[str]:
    """Ask `run-recipe.sh` which way round its Ray flag is; today's, where it cannot be asked."""
    if not isinstance(profile.serving, Recipe):
        return TODAY
    head = next(iter(profile.topologies.values())).nodes[0]
    try:
        done = await hosts_of(profile)[head].run(
            ["./run-recipe.sh", "--help"], cwd=profile.nodes[head].workdir or FOLDER, timeout_s=HELP_TIMEOUT_S
        )
    except SparktuiError:
        return TODAY  # the launch itself will say what is wrong, with its log
    return known_flags(done.stdout + done.stderr) if done.returncode == 0 else TODAY
