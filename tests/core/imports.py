"""The importers' sample files, and what comes out of them."""

from __future__ import annotations

from pathlib import Path

from sparktui.importing.formats import Format, read
from sparktui.importing.imported import Imported, ImportedCell, KnownFigure

SAMPLES = Path(__file__).parent / "data" / "imports"
FORMAT_OF: dict[str, Format] = {
    "llama-benchy-0.3.5.json": "benchy-json",
    "llama-benchy-0.4.0.json": "benchy-json",
    "llama-benchy-0.3.5.csv": "benchy-csv",
    "llama-benchy-0.4.0.csv": "benchy-csv",
    "llama-benchy-0.4.0-progress.jsonl": "benchy-progress",
    "vllm-bench-0.32.json": "vllm-bench",
    "guidellm-0.8.1.json": "guidellm",
    "aiperf-0.13.0-c1.json": "aiperf",
    "aiperf-0.13.0-c4.json": "aiperf",
}


def raw(name: str) -> bytes:
    """Return a sample's content."""
    return (SAMPLES / name).read_bytes()


def sample(name: str) -> Imported:
    """Return a sample, read."""
    return read(raw(name), name)


def cells(imported: Imported, topology: str | None = None) -> dict[int, ImportedCell]:
    """Return one topology's cells by concurrency; the first topology's where none is named."""
    sweep = next(s for s in imported.sweeps if topology in (None, s.topology))
    return {cell.concurrency: cell for cell in sweep.cells}


def figures(cell: ImportedCell) -> dict[str, KnownFigure]:
    """Return a cell's figures by name."""
    return {figure.name: figure for figure in cell.figures}
