"""A profile with less of a race in it, or another load: only some topologies, other levels, other requests."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from sparktui.errors import UsageError
from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile, Sampling


def narrowed(profile: Profile, *, only: Sequence[str] | None = None, **load: object) -> Profile:
    """Return the profile with only these topologies, in its own order, and this load where one is given.

    Args:
        profile: What to change.
        only: The topologies to keep.
        load: Keys of a workload and of its sampling; see `with_load`.

    Raises:
        UsageError: `only` names a topology that the profile does not have, or none.
        ProfileError: The load cannot be used.
    """
    data = profile.model_dump()
    if only is not None:
        data["topologies"] = {name: data["topologies"][name] for name in _chosen(profile, only)}
    data["workload"] = with_load(data["workload"], load)
    return profile_from_data(data, profile.name)


def with_load(workload: Mapping[str, Any], load: Mapping[str, object]) -> dict[str, Any]:
    """Return a workload's data with keys of it, and of its sampling, replaced; None replaces nothing.

    Further keys of the request body are added to those there are.

    Raises:
        UsageError: Turns are given to a load without any.
    """
    given: dict[str, Any] = {key: value for key, value in load.items() if value is not None}
    if "pool_turns" in given and given.get("shape", workload.get("shape")) != "pool":
        raise UsageError("turns are of slots in a pool, and this load is sent in waves", "ask for shape pool too")
    sampling = {key: given.pop(key) for key in Sampling.model_fields if key in given}
    before = workload.get("sampling", {})
    if "extra_body" in sampling:
        sampling["extra_body"] = {**before.get("extra_body", {}), **sampling["extra_body"]}
    return {**workload, **given, "sampling": {**before, **sampling}}


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
