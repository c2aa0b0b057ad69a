"""A profile for a server that is already up: one topology, `server`, and nothing to start or stop."""

from __future__ import annotations

from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile

TOPOLOGY = "server"
NODE = "local"


def profile_for_url(
    url: str, model: str, *, api_key_env: str | None = None, exact_tg: bool = True, **workload: object
) -> Profile:
    """Return the profile that measures a server; `workload` holds keys of a profile's workload, None left out.

    Raises:
        ProfileError: The address, or a workload key, cannot be used; `problems` holds every reason.
    """
    return profile_from_data(
        {
            "name": "bench",
            "description": f"{model} at {url}",
            "nodes": {NODE: {"host": "local"}},
            "model": {"id": model},
            "serving": {"launcher": "external", "url": url, "api_key_env": api_key_env},
            "topologies": {TOPOLOGY: {"kind": "solo", "nodes": (NODE,)}},
            "workload": {key: value for key, value in workload.items() if value is not None}
            | {"sampling": {"exact_tg": exact_tg}},
        },
        "bench",
    )
