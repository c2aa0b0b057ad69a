"""The published Gemma4-26B figures: what the simulated engine is fitted to."""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).parent / "published"
LEVELS = (1, 2, 4, 8, 16, 32, 64)
METRICS = {"decode": "decode_tps", "prefill": "prefill_tps", "ttft": "ttft_ms"}
"""The tables' names, and ours."""
TOPOLOGIES = ("solo", "cluster-tp2", "cluster-tp2-ray", "shuffle")

Cell = tuple[str, str, int]
"""Topology, metric, concurrency."""


def published() -> dict[Cell, float]:
    """Return every published figure; of the Ray cluster only decode was published."""
    figures: dict[Cell, float] = {}
    for name in ("gemma4-26b-a4b.csv", "gemma4-26b-a4b-ray.csv"):
        with (FOLDER / name).open(newline="") as table:
            for row in csv.DictReader(table):
                for topology in TOPOLOGIES:
                    if row.get(topology):
                        figures[topology, row["metric"], int(row["concurrency"])] = float(row[topology])
    return figures
