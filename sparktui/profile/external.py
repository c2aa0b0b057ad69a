"""A profile for a server that is already up: one topology, and nothing to start or stop."""

from __future__ import annotations

from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile
from sparktui.profile.narrow import with_load

NAME, TOPOLOGY = "bench", "server"
"""Of a server to which nobody gave a name."""
NODE = "local"


def profile_for_url(
    url: str,
    model: str,
    *,
    name: str | None = None,
    api_key_env: str | None = None,
    api_key_file: str | None = None,
    **load: object,
) -> Profile:
    """Return the profile that measures a server.

    Args:
        url: Its address.
        model: What to ask it for.
        name: What to call both the campaign and its topology: what tells servers apart where they are compared.
        api_key_env: The environment variable that holds its key.
        api_key_file: The file that does.
        load: Keys of a workload and of its sampling, None left out.

    Raises:
        ProfileError: The address, or a key of the load, cannot be used; `problems` holds every reason.
    """
    key = {"api_key_env": api_key_env, "api_key_file": api_key_file}
    return profile_from_data(
        {
            "name": name or NAME,
            "description": f"{model} at {url}",
            "nodes": {NODE: {"host": "local"}},
            "model": {"id": model},
            "serving": {"launcher": "external", "url": url, **key},
            "topologies": {name or TOPOLOGY: {"kind": "solo", "nodes": (NODE,)}},
            "workload": with_load({}, load),
        },
        "bench",
    )
