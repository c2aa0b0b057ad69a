"""A profile with less of a race in it: only some topologies, other levels, other runs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sparktui.errors import UsageError
from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile


def narrowed(
    profile: Profile,
    *,
    only: Sequence[str] | None = None,
    concurrency: Sequence[int] | None = None,
    runs: int | None = None,
) -> Profile:
    """Return the profile with only these topologies, in its own order, and this workload where one is given.

    Raises:
        UsageError: `only` names a topology that the profile does not have, or none.
        ProfileError: The levels or runs cannot be used.
    """
    data = profile.model_dump()
    if only is not None:
        data["topologies"] = {name: data["topologies"][name] for name in _chosen(profile, only)}
    if concurrency is not None:
        data["workload"]["concurrency"] = tuple(concurrency)
    if runs is not None:
        data["workload"]["runs"] = runs
    return profile_from_data(data, profile.name)


def _chosen(profile: Profile, only: Sequence[str]) -> list[str]:
    known = ", ".join(profile.topologies)
    for name in only:
        if name not in profile.topologies:
            near = difflib.get_close_matches(name, profile.topologies, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"profile {profile.name} has no topology {name!r}", f"{hint}known: {known}")
    chosen = [name for name in profile.topologies if name in only]
    if not chosen:
        raise UsageError("no topology is left to run", f"name one or more of {known}")
    return chosen
