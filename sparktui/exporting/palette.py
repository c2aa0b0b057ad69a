"""Colours, dashes and marks that tell topologies apart, on white and on black, and without colour."""

from __future__ import annotations

from dataclasses import dataclass

LIGHT = ("#0067a6", "#c74a00", "#00795a", "#a3478f", "#8a6200", "#5f3dc4", "#7a4526")
DARK = ("#56b4e9", "#ff8f4f", "#3ddbb0", "#e79ad1", "#f0c14b", "#b3a5ff", "#d3a27f")
DASHES = (None, "7 3", "2 3", "9 3 2 3")
MARKS = ("circle", "square", "triangle", "diamond")

STYLE = "\n".join(
    (
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;font-size:12px}",
        ".small{font-size:11px}.title{font-size:16px;font-weight:650}.number{font-variant-numeric:tabular-nums}.mark{font-size:64px}",
        "@media (prefers-color-scheme:dark){",
        ".paper{fill:#14181d}.ink{fill:#e8ecf0}.faint{fill:#a3adb8}.rule{stroke:#2c343d}.axis{stroke:#6b7682}",
        ".hollow{fill:#14181d}.doubt{fill:#e8ecf0}.flip{stroke:#a3adb8}.tie{fill:#6b7682}.mark{fill:#ff9d9d}",
        *(f".stroke{index}{{stroke:{colour}}}.fill{index}{{fill:{colour}}}" for index, colour in enumerate(DARK)),
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


def look(index: int) -> Look:
    """Return the look of the topology at a place in the tables."""
    number = index % len(LIGHT)
    return Look(number, LIGHT[number], DASHES[index // len(LIGHT) % len(DASHES)], MARKS[index % len(MARKS)])
