"""The engine's own token counters over a cell, held against what was counted here: said where they disagree."""

from __future__ import annotations

from dataclasses import replace

from sparktui.measure.agreement import over_cell, told
from sparktui.measure.cell import CellFigures
from sparktui.store.rows import CellRow, CountedRow


def with_engine_count(figures: CellFigures, topology: str, cell: CellRow, counted: CountedRow | None) -> CellFigures:
    """Add a note where the two are too far apart; none where requests failed, since what they left is not known."""
    if counted is None or counted.failed:
        return figures
    pairs = {
        "generated": over_cell(cell.server_tokens, counted.completion_tokens),
        "prompt": over_cell(cell.server_prompt_tokens, counted.prompt_tokens),
    }
    found = [told(kind, both) for kind, both in pairs.items() if both is not None and both.disagrees]
    if not found:
        return figures
    return replace(figures, notes=(*figures.notes, f"{topology} c{cell.concurrency}: {'; '.join(found)}"))
