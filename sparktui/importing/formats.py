"""Which format a file has, told from its content, and its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal, get_args

import msgspec
from msgspec import structs

from sparktui.errors import ImportFileError
from sparktui.importing import (
    aiperf,
    benchy,
    benchy_progress,
    guidellm,
    own_csv,
    own_json,
    topology_table,
    vllm_bench,
)
from sparktui.importing.imported import FileOrigin, Imported, ImportedSweep
from sparktui.importing.text import clean_name, within_size

Format = Literal[
    "benchy-json",
    "benchy-csv",
    "benchy-progress",
    "vllm-bench",
    "guidellm",
    "aiperf",
    "topology-csv",
    "sparktui-csv",
    "sparktui-json",
]
FORMATS: tuple[Format, ...] = get_args(Format)

_READERS: Mapping[Format, Callable[[bytes, str, str | None], Imported]] = {
    "benchy-json": lambda raw, name, _: benchy.read_json(raw, name),
    "benchy-csv": benchy.read_csv,
    "benchy-progress": lambda raw, name, _: benchy_progress.read(raw, name),
    "vllm-bench": vllm_bench.read,
    "guidellm": lambda raw, name, _: guidellm.read(raw, name),
    "aiperf": lambda raw, name, _: aiperf.read(raw, name),
    "topology-csv": lambda raw, name, _: topology_table.read(raw, name),
    "sparktui-csv": lambda raw, name, _: own_csv.read(raw, name),
    "sparktui-json": lambda raw, name, _: own_json.read(raw, name),
}
_JSON_KEYS: tuple[tuple[Format, frozenset[str]], ...] = (
    ("sparktui-json", frozenset({"format", "campaign", "sweeps"})),
    ("benchy-json", frozenset({"latency_mode", "benchmarks"})),
    ("vllm-bench", frozenset({"model_id", "request_rate", "output_throughput"})),
    ("guidellm", frozenset({"metadata", "config", "benchmarks"})),
    ("aiperf", frozenset({"aiperf_version", "input_config"})),
)
"""What an object of each format has and no other has."""
_CSV_COLUMNS: tuple[tuple[Format, frozenset[str]], ...] = (
    ("sparktui-csv", frozenset(own_csv.HEAD)),
    ("benchy-csv", frozenset(benchy.CSV_HEAD)),
    ("topology-csv", frozenset(topology_table.HEAD)),
)
_ALSO_WRITTEN: tuple[tuple[str, str], ...] = (
    ('"benchmark_phase"', "aiperf's requests one by one: import its profile_export_aiperf.json instead"),
    ("Metric,avg", "aiperf's CSV: import its profile_export_aiperf.json instead"),
    ("Run Info", "guidellm's CSV: import its JSON instead"),
    ("| model", "a Markdown table: import llama-benchy's JSON or CSV instead"),
)
_NOT_KNOWN = "name its format with --format: " + ", ".join(FORMATS)


def read(
    raw: bytes, name: str, *, form: Format | None = None, topology: str | None = None, version: str | None = None
) -> Imported:
    """Read one result file.

    Args:
        raw: Its content.
        name: Its name, for messages and as a topology's name where nothing else tells one.
        form: Its format; told from the content where left out.
        topology: What to call the topology of a file that has one.
        version: Of the tool that wrote it, where the file does not tell.

    Raises:
        ImportFileError: It cannot be read: what is wrong, and where.
    """
    raw = within_size(raw, name)
    form = form or detect(raw, name)
    imported = _READERS[form](raw, name, version)
    if not any(sweep.cells for sweep in imported.sweeps):
        raise ImportFileError(f"{name}: holds no cell")
    stem = name.rpartition(".")[0] or name
    sweeps = _named(imported.sweeps, topology, stem, name)
    own, *earlier = _renamed(imported, sweeps)
    own = structs.replace(own, topologies=tuple(sweep.topology for sweep in sweeps))
    origin = structs.replace(imported.origin, sources=(own, *earlier))
    return replace(imported, sweeps=sweeps, origin=origin, name=stem if imported.name == name else imported.name)


def detect(raw: bytes, name: str) -> Format:
    """Tell a file's format from its content.

    Raises:
        ImportFileError: It is empty, or of no format that can be imported.
    """
    start = raw.lstrip()
    if not start:
        raise ImportFileError(f"{name}: empty")
    found = _json_format(start, name) if start.startswith(b"{") else _csv_format(start)
    if found is None:
        head = start[:4096].decode(errors="replace")
        known = next((hint for mark, hint in _ALSO_WRITTEN if mark in head), None)
        raise ImportFileError(f"{name}: not a format that can be imported", known or _NOT_KNOWN)
    return found


def _json_format(raw: bytes, name: str) -> Format | None:
    """Look at the keys of the first object, which is the whole file or its first line."""
    try:
        keys = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        first = raw.partition(b"\n")[0]
        try:
            keys = msgspec.json.decode(first, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            where = f" (it ends at byte {len(raw)})" if "truncated" in str(error) else ""
            raise ImportFileError(f"{name}: not the JSON it should be: {error}{where}") from error
    if bytes(keys.get("schema", b"")).startswith(b'"llama-benchy-progress.'):
        return "benchy-progress"
    return next((form for form, wanted in _JSON_KEYS if wanted <= keys.keys()), None)


def _csv_format(raw: bytes) -> Format | None:
    for line in raw.splitlines():
        if line.strip() and not line.startswith(b"#"):
            columns = {column.strip().strip('"') for column in line.decode(errors="replace").split(",")}
            return next((form for form, wanted in _CSV_COLUMNS if wanted <= columns), None)
    return None


def _renamed(imported: Imported, sweeps: tuple[ImportedSweep, ...]) -> Iterator[FileOrigin]:
    """Return where it comes from, with the topologies of earlier files called what they are called now."""
    names = {was.topology: now.topology for was, now in zip(imported.sweeps, sweeps, strict=True)}
    for source in imported.origin.sources:
        yield structs.replace(source, topologies=tuple(names.get(name, name) for name in source.topologies))


def _named(sweeps: tuple[ImportedSweep, ...], topology: str | None, stem: str, name: str) -> tuple[ImportedSweep, ...]:
    if topology is not None and len(sweeps) != 1:
        there = ", ".join(sweep.topology or "-" for sweep in sweeps)
        raise ImportFileError(f"{name}: has {len(sweeps)} topologies ({there}), so it cannot be called {topology!r}")
    named = tuple(replace(s, topology=clean_name(topology or s.topology or stem, name)) for s in sweeps)
    names = [sweep.topology for sweep in named]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise ImportFileError(f"{name}: two topologies are called {twice!r}")
    return named
