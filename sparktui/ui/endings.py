"""What is said of a topology that did not come to its end: it must not look as if it had not been its turn yet."""

from __future__ import annotations

GUARD = "stopped by guard"
ENDINGS = {"failed": "failed", "guard": GUARD, "stopped": "stopped"}
"""By the state of its sweep."""
SHORT = {"failed": "failed", "guard": "guard", "stopped": "stopped"}
"""Where there are as many columns as a figure has."""
