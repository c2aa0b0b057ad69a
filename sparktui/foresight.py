"""Finds out what a race would be: asks its nodes, and reads what was run before; nothing is changed anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sparktui.doctor.readings import read_nodes, verdicts
from sparktui.dry_run import plan_text
from sparktui.errors import LaunchError
from sparktui.paths import data_dir
from sparktui.profile.model import Profile
from sparktui.prospect import Prospect
from sparktui.runner.expected_time import expected_seconds
from sparktui.runner.plans import make_plans

TIMEOUT_S = 8.0
"""A node that has not answered by then is one whose state is unknown."""


async def look(profile: Profile, store: Path, timeout_s: float = TIMEOUT_S) -> Prospect:
    """Look at every node of a profile and at what was run before; nothing is changed anywhere.

    Raises:
        SparktuiError: The store cannot be read.
    """
    samples = await read_nodes(profile, timeout_s)
    judged, expected_s = await asyncio.gather(
        asyncio.to_thread(verdicts, profile, store, samples), asyncio.to_thread(expected_seconds, store, profile)
    )
    return Prospect(samples=samples, verdicts=judged, expected_s=expected_s)


async def with_commands(known: Prospect, profile: Profile) -> Prospect:
    """Add what would be typed, which may take a question to a node that is slow to answer.

    Raises:
        SparktuiError: The data folder cannot be used.
    """
    plans = await make_plans(profile, Path(data_dir()) / "run" / "N")
    return replace(
        known,
        commands={name: plan_text(name, plan, known.verdicts[name].values()) for name, plan in plans.items()},
        problems={name: plan.message for name, plan in plans.items() if isinstance(plan, LaunchError)},
    )


def found_out(profile: Profile, store: Path, known: Prospect | None = None) -> Iterator[Prospect]:
    """Yield what is known as soon as it is; the exact commands are worked out once. It blocks: for a thread.

    Raises:
        SparktuiError: The store or the data folder cannot be used.
    """
    prospect = asyncio.run(look(profile, store))
    if known is not None and known.commands:
        yield replace(prospect, commands=known.commands, problems=known.problems)
        return
    yield prospect
    yield asyncio.run(with_commands(prospect, profile))
