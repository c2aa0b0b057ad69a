"""The topologies of a profile with their verdicts, as rows for a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sparktui.ui.table_shown import TableShown, Value
from sparktui.ui.widgets.topologies import place

if TYPE_CHECKING:
    from sparktui.profile.model import Profile
    from sparktui.prospect import Prospect

REHEARSED = "SIMULATED: no node of this profile is real"
COLUMNS = (
    "topology",
    "ticked",
    "where",
    "node",
    "verdict",
    "left_bytes",
    "needed_bytes",
    "remainder_bytes",
    "refuse_floor_bytes",
    "expected_s",
    "said",
)


def launch_rows(profile: Profile, prospect: Prospect, ticked: Sequence[str]) -> TableShown:
    """Return one row for every node of every topology."""
    rows = tuple(row for name in profile.topologies for row in _rows(profile, prospect, name, name in ticked))
    load = profile.workload
    levels = " ".join(map(str, load.concurrency))
    warning = (("warning", REHEARSED),) if profile.simulated else ()
    facts = (
        *warning,
        ("profile", profile.name),
        ("load", f"pp{load.pp} tg{load.tg}, {load.runs} {load.shape} at c {levels}"),
    )
    return TableShown(COLUMNS, rows, facts)


def _rows(profile: Profile, prospect: Prospect, name: str, ticked: bool) -> Iterator[tuple[Value, ...]]:
    head = (name, "yes" if ticked else "no", place(profile.topologies[name]))
    expected_s = prospect.expected_s.get(name)
    for node in profile.topologies[name].nodes:
        verdict = prospect.verdicts.get(name, {}).get(node)
        if verdict is None:
            yield (*head, node, None, None, None, None, None, expected_s, prospect.problems.get(name))
            continue
        sizes = (verdict.left_bytes, verdict.needed_bytes, verdict.remainder_bytes, verdict.floor_bytes)
        yield (*head, node, verdict.level, *sizes, expected_s, prospect.problems.get(name) or verdict.text)
