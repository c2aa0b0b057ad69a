"""Several files as one campaign: their topologies side by side, a topology's cells from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sparktui.errors import ImportFileError
from sparktui.importing.imported import Imported, ImportedCell, ImportedSweep, KnownFigure, Provenance
from sparktui.importing.known import shared
from sparktui.importing.sources import joint_source

ALIKE = ("model", "calculator", "token_source", "simulated")
"""What must not differ between the parts of one topology."""


def join(parts: Sequence[Imported], name: str | None = None) -> Imported:
    """Return the parts as one campaign.

    Raises:
        ImportFileError: Two parts tell different things of the same cell, or measured one topology differently.
    """
    sweeps: dict[str, ImportedSweep] = {}
    for part in parts:
        for sweep in part.sweeps:
            known = sweeps.get(sweep.topology)
            sweeps[sweep.topology] = sweep if known is None else _joined(known, sweep)
    origin = Provenance(
        sources=tuple(source for part in parts for source in part.origin.sources),
        expectations=tuple(e for part in parts for e in part.origin.expectations),
    )
    known_dates = [part.created for part in parts if part.created is not None]
    first = parts[0]
    changes = {"name": name or first.name, "sweeps": tuple(sweeps.values()), "origin": origin}
    if len(parts) == 1:
        return replace(first, **changes)  # type: ignore[arg-type]
    return Imported(
        **changes,  # type: ignore[arg-type]
        source=joint_source(part.source for part in parts),
        created=min(known_dates, default=None),
        state="done" if all(part.state == "done" for part in parts) else "partial",
        detail="; ".join(part.detail for part in parts if part.detail) or None,
        nodes=tuple(dict(node for part in parts for node in part.nodes).items()),
        events=tuple(event for part in parts for event in part.events),
    )


def _joined(a: ImportedSweep, b: ImportedSweep) -> ImportedSweep:
    for field in ALIKE:
        mine, theirs = getattr(a.fingerprint, field), getattr(b.fingerprint, field)
        if mine != theirs:
            raise ImportFileError(
                f"{a.topology} is in two files, with {field} {mine or '-'} and {theirs or '-'}",
                "give them different names with --topology",
            )
    cells = {cell.place: cell for cell in a.cells}
    for cell in b.cells:
        cells[cell.place] = _joined_cell(a.topology, cells[cell.place], cell) if cell.place in cells else cell
    together = tuple(cells.values())
    return replace(a, cells=together, fingerprint=shared(together, a.fingerprint))


def _joined_cell(topology: str, a: ImportedCell, b: ImportedCell) -> ImportedCell:
    where = f"{topology} {a.described}"
    if a.waves or b.waves:
        raise ImportFileError(f"{where} is in two files", "give them different names with --topology")
    figures: dict[str, KnownFigure] = {figure.name: figure for figure in a.figures}
    for figure in b.figures:
        known = figures.setdefault(figure.name, figure)
        if known.mean != figure.mean:
            raise ImportFileError(
                f"{where}: {figure.name} is {known.mean:g} in one file and {figure.mean:g} in another",
                "give them different names with --topology",
            )
    taint = "; ".join(dict.fromkeys(one.taint for one in (a, b) if one.taint)) or None
    return replace(a, figures=tuple(figures.values()), runs=max(a.runs, b.runs), taint=taint)
