"""What the screen of `sparktui watch` shows, as rows for a file: an engine, all together, or a node a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from sparktui.ui.table_shown import TableShown, Value
from sparktui.watching.lines import ALL, document
from sparktui.watching.picture import SIMULATED, Picture


def watch_rows(picture: Picture) -> TableShown:
    """Return what is known of every engine and node: the same as `watch --json` prints."""
    told = document(picture)
    kinds = (("engine", "engines"), ("node", "nodes"))
    rows = [{"what": kind, **row} for kind, key in kinds for row in cast("list[dict[str, Value]]", told[key])]
    if len(picture.engines) > 1:
        whole = cast("Mapping[str, Value]", told["all"])
        rows.insert(len(picture.engines), {"what": "engines", "name": ALL, **whole})
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    simulated = [engine.name for engine in picture.engines if engine.simulated]
    warning = (("warning", f"{SIMULATED}: {', '.join(simulated)}"),) if simulated else ()
    return TableShown(columns, tuple(tuple(_value(row.get(name)) for name in columns) for row in rows), warning)


def _value(value: Value) -> Value:
    return ("yes" if value else "no") if isinstance(value, bool) else value
