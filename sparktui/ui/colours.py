"""A topology's colour as a style, which every theme fills in."""

from __future__ import annotations

from collections.abc import Iterable

from sparktui.colours import slot


def colour(name: str, names: Iterable[str]) -> str:
    """Return the style of a topology's colour beside others, as `sparktui.colours` deals them out."""
    return f"$topology-{slot(name, names)}"
