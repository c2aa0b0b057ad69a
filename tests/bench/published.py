"""The published Gemma4-26B figures: what the simulated engine is fitted to."""

from __future__ import annotations

from sparktui.compare.winners import METRICS as RANKED
from sparktui.importing.published import load_published

LEVELS = (1, 2, 4, 8, 16, 32, 64)
METRICS = {name: RANKED[name].figure for name in ("decode", "prefill", "ttft")}
"""The tables' names, and ours."""
TOPOLOGIES = ("solo", "cluster-tp2", "cluster-tp2-ray", "shuffle")

Cell = tuple[str, str, int]
"""Topology, metric, concurrency."""


def published() -> dict[Cell, float]:
    """Return every published figure; of the Ray cluster only decode was published."""
    names = {figure: metric for metric, figure in METRICS.items()}
    return {
        (sweep.topology, names[figure.name], cell.concurrency): figure.mean
        for sweep in load_published("gemma4-26b-a4b").sweeps
        for cell in sweep.cells
        for figure in cell.figures
    }
