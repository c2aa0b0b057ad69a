"""What is said of a topology that did not come to its end: it must not look as if it had not been its turn yet."""

from __future__ import annotations

from sparktui.ui.snapshot import Topology

GUARD = "stopped by guard"
ENDINGS = {"failed": "failed", "guard": GUARD, "stopped": "stopped"}
"""By the state of its sweep."""
SHORT = {"failed": "failed", "guard": "guard", "stopped": "stopped"}
"""Where there are as many columns as a figure has."""
NEVER_LAUNCHED = "not launched"
"""Of one whose turn had not come when the race was stopped."""


def ending(topology: Topology) -> str:
    """Return how a topology ended that came to no good end; nothing of one that is done or under way."""
    if topology.state == "stopped" and topology.launched is None:
        return NEVER_LAUNCHED
    return ENDINGS.get(topology.state, "")
