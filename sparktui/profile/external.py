"""A profile for a server that is already up: one topology, `server`, and nothing to start or stop."""

from __future__ import annotations

from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile
from sparktui.profile.narrow import with_load

TOPOLOGY = "server"
NODE = "local"


def profile_for_url(
    url: str, model: str, *, api_key_env: str | None = None, api_key_file: str | None = None, **load: object
) -> Profile:
    """Return the profile that measures a server; `load` holds keys of a workload and of its sampling, None left out.

    Raises:
        ProfileError: The address, or a key of the load, cannot be used; `problems` holds every reason.
    """
    key = {"api_key_env": api_key_env, "api_key_file": api_key_file}
    return profile_from_data(
        {
            "name": "bench",
            "description": f"{model} at {url}",
            "nodes": {NODE: {"host": "local"}},
            "model": {"id": model},
            "serving": {"launcher": "external", "url": url, **key},
            "topologies": {TOPOLOGY: {"kind": "solo", "nodes": (NODE,)}},
            "workload": with_load({}, load),
        },
        "bench",
    )
