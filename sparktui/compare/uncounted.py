"""What has to be said where a server did not count tokens itself; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sparktui.compare.cells import MeasuredCell
from sparktui.compare.comparison import Column
from sparktui.compare.levels import spans
from sparktui.compare.winners import METRICS
from sparktui.measure.calculator_names import BENCHY_0_3_5

BY_CHUNKS = "the server gave no `usage`: each chunk that came counts as one token, though it may have held several"
PROMPTS = "the server did not count its prompts: nothing confirms that they were as long as asked"
NO_PREFILL = f"{PROMPTS}, and how fast it took them in is not known"


def uncounted(columns: Sequence[Column]) -> Iterator[str]:
    """Name whose tokens were counted by chunks, and whose prompts are of a length that nobody has counted."""
    yield from _told(columns, _by_chunks, BY_CHUNKS)
    yield from _told(columns, lambda cell: _unknown_prompts(cell) and not _has_prefill(cell), NO_PREFILL)
    yield from _told(columns, lambda cell: _unknown_prompts(cell) and _has_prefill(cell), PROMPTS)


def _told(columns: Sequence[Column], concerned: Callable[[MeasuredCell], bool], why: str) -> Iterator[str]:
    found = []
    for column in columns:
        levels = sorted({cell.cell.concurrency for cell in column.cells})
        mine = sorted({cell.cell.concurrency for cell in column.cells if concerned(cell)})
        if mine:
            found.append(f"{column.name} {spans(mine, levels)}")
    if found:
        yield f"{', '.join(found)}: {why}"


def _by_chunks(cell: MeasuredCell) -> bool:
    """Tell what was counted so for want of a count; of one calculator it is the rule."""
    return cell.figures.calculator != BENCHY_0_3_5 and "chunks" in cell.figures.token_source


def _unknown_prompts(cell: MeasuredCell) -> bool:
    """Tell what was measured, request by request, without it; files rarely tell of requests at all."""
    return cell.figures.requests > cell.figures.errors and cell.figures.prompt_tokens is None


def _has_prefill(cell: MeasuredCell) -> bool:
    return METRICS["prefill"].figure in cell.figures.figures
