"""What an imported campaign is called: what was simulated stays so, whatever it has been through."""

from __future__ import annotations

from collections.abc import Iterable

from sparktui.importing.imported import Source

SIMULATED_MODEL = "SIMULATED "
"""Before a model's name, in files that have no better place to say so."""


def resumed_source(stated: str) -> Source:
    """Return the source of one of our own exports that is imported again."""
    return "simulated" if stated == "simulated" else "published" if stated == "published" else "imported"


def source_of_model(model: str) -> Source:
    """Return the source of a file of another tool's shape, where only the model's name can say SIMULATED."""
    return "simulated" if model.startswith(SIMULATED_MODEL) else "imported"


def joint_source(sources: Iterable[Source]) -> Source:
    """Return the source of several files as one campaign: one simulated one makes it all simulated."""
    found = set(sources)
    return "simulated" if "simulated" in found else "published" if found == {"published"} else "imported"
