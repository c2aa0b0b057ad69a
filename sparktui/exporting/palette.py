"""Colours, dashes and marks that tell topologies apart, on white and on black, and without colour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sparktui.colours import ON_DARK, ON_LIGHT, place

DASHES = (None, "7 3", "2 3", "9 3 2 3")
MARKS = ("circle", "square", "triangle", "diamond")

STYLE = "\n".join(
    (
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:12px}",
        ".small{font-size:11px}.title{font-size:16px;font-weight:650}.number{font-variant-numeric:tabular-nums}.mark{font-size:64px}",
        "@media (prefers-color-scheme:dark){",
        ".paper{fill:#14181d}.ink{fill:#e8ecf0}.faint{fill:#a3adb8}.rule{stroke:#2c343d}.axis{stroke:#6b7682}",
        ".hollow{fill:#14181d}.doubt{fill:#e8ecf0}.flip{stroke:#a3adb8}.tie{fill:#6b7682}.mark{fill:#ff9d9d}",
        *(f".stroke{index}{{stroke:{colour}}}.fill{index}{{fill:{colour}}}" for index, colour in enumerate(ON_DARK)),
        "}",
    )
)
"""The light colours stand on the elements themselves, so that a plot needs no style sheet to be right."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one topology is drawn in every plot."""

    number: int
    colour: str
    dash: str | None
    mark: str


def look(name: str, names: Iterable[str]) -> Look:
    """Return the look of a topology among all of its campaign: the colour that it has on every screen."""
    slot, sharing = place(name, names)
    return Look(slot, ON_LIGHT[slot], DASHES[sharing % len(DASHES)], MARKS[(slot + sharing) % len(MARKS)])
