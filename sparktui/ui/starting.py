"""What is asked before a race starts: nothing of a rehearsal, and what would happen to which nodes of a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparktui.ui.dialogs import ConfirmDialog
from sparktui.units import duration

if TYPE_CHECKING:
    from sparktui.profile.model import Profile


def start_question(
    name: str, profile: Profile, only: tuple[str, ...] | None, expected_s: float | None
) -> ConfirmDialog:
    """Return what to ask before a race is started that is not simulated.

    Args:
        name: Of the profile.
        profile: The profile.
        only: Its topologies to race; None for all.
        expected_s: How long they take, where that is known.
    """
    topologies = tuple(profile.topologies) if only is None else only
    length = f" About {duration(expected_s)}." if expected_s is not None else ""
    return ConfirmDialog(f"Start {name}?", _consequence(profile, topologies) + length, "Start it", dangerous=False)


def _consequence(profile: Profile, topologies: tuple[str, ...]) -> str:
    if profile.serving.launcher == "external":
        return f"Load is sent to {profile.serving.url}, which others may be using; nothing is launched."
    nodes = dict.fromkeys(node for name in topologies for node in profile.topologies[name].nodes)
    return (
        f"Real engines are launched on {', '.join(nodes)}, one topology after another: {', '.join(topologies)}. "
        "Launch's d shows the exact commands."
    )
