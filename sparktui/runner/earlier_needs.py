"""What the same launch took of each node before: the history that a verdict goes by."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sparktui.errors import ProfileError
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.store.reader import Reader

REMEMBERED = 5
"""Launches that count; what was true before them may have changed since."""


def earlier_needs(store: Path, profile: Profile, topology: str) -> dict[str, tuple[int, ...]]:
    """Return by node what a topology took of it, in bytes, newest first; a node where it never served is left out.

    Only the very same launch counts: model, engine options and nodes as they are in the profile now.
    """
    alike = cache(lambda text: same_launch(_parsed(text), profile, topology))
    took: dict[str, tuple[int, ...]] = {}
    if not store.exists():
        return took
    with Reader(store) as reader:
        for row in reader.node_needs(profile.name, profile.source, topology):
            if len(took.get(row.node, ())) < REMEMBERED and alike(row.profile_yaml):
                took[row.node] = (*took.get(row.node, ()), row.took_bytes)
    return took


def same_launch(earlier: Profile | None, profile: Profile, topology: str) -> bool:
    """Tell whether two profiles launch a topology of that name alike."""
    if earlier is None or topology not in earlier.topologies:
        return False
    return _launch(earlier, topology) == _launch(profile, topology)


def _launch(profile: Profile, topology: str) -> tuple[object, ...]:
    described = profile.topologies[topology]
    nodes = [(name, profile.nodes[name].host, profile.nodes[name].env) for name in described.nodes]
    return profile.model, profile.serving, described.model_copy(update={"description": ""}), nodes


def _parsed(text: str) -> Profile | None:
    try:
        return parse_profile(text, "an earlier campaign")
    except ProfileError:
        return None  # written by a version that knew other keys
