"""The lines of Launch's lists, and the texts that it opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from sparktui.errors import ProfileError
from sparktui.moments import DAY_AND_TIME, local_time
from sparktui.ui.text import Part, harmless
from sparktui.ui.widgets.masthead import badges

if TYPE_CHECKING:
    from pathlib import Path

    from sparktui.doctor.findings import Finding
    from sparktui.profile.catalog import ProfileEntry
    from sparktui.profile.model import Profile
    from sparktui.store.rows import CampaignRow

CAMPAIGNS_SHOWN = 20
"""History has all of them."""
MARKS = {"ok": ("ok", "$success"), "warning": ("WARNING", "$warning"), "problem": ("PROBLEM", "bold $error")}
UNKNOWN_MARK = ("?", "$dim")


Stamp = tuple[tuple["Path", int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A profile that has a name here, usable or not."""

    entry: ProfileEntry
    profile: Profile | ProfileError


def find_profiles() -> tuple[Found, ...]:
    """Read every profile there is: in a thread, where the first time takes what reads them, too."""
    from sparktui.profile.catalog import list_profiles

    return tuple(Found(entry, _loaded(entry)) for entry in list_profiles())


def profiles_stamp() -> Stamp:
    """Return what changes when a profile is added, taken away or written to; reads the folders alone."""
    from sparktui.profile.catalog import list_profiles

    return tuple((entry.path, _written(entry.path)) for entry in list_profiles())


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # gone since
        return 0


def _loaded(entry: ProfileEntry) -> Profile | ProfileError:
    from sparktui.profile.named import profile_of

    try:
        return profile_of(entry.path)
    except ProfileError as error:
        return error


def profile_line(found: Found, width: int, room: int) -> Content:
    """Return a profile's name, whether it is a rehearsal, and its size as far as that fits into `room` columns."""
    name, profile = found.entry.name, found.profile
    if isinstance(profile, ProfileError):
        count = max(1, len(profile.problems))
        return Content.assemble((name.ljust(width), "$dim"), (f"  {count} problems", "$error"))
    mark = ("  SIMULATED", "bold $simulated") if profile.simulated else ""
    line = Content.assemble((name.ljust(width), "bold"), mark)
    for size in (f"  {len(profile.nodes)} nodes", f"  {len(profile.topologies)} topologies"):
        if line.cell_length + len(size) > room:
            break
        line = Content.assemble(line, (size, "$dim"))
    return line


def campaign_line(row: CampaignRow, width: int, *, interrupted: bool = False) -> Content:
    """Return when a campaign began, what it was and how it ended."""
    state = "interrupted" if interrupted else row.state
    when = local_time(row.created, DAY_AND_TIME)
    badge = badges(row.source, row.imported)
    parts: list[Part] = [(f"{row.id:>4}  ", "$dim"), f"{when}  ", (harmless(row.name).ljust(width), "bold")]
    parts += [f"  {state:<8}", (f"  {badge}", "bold $simulated" if row.simulated else "bold")]
    return Content.assemble(*parts, (f"  {harmless(row.detail or '')}", "$dim"))


def findings_text(findings: Sequence[Finding]) -> list[Content]:
    """Return what a look at the nodes has found, node by node, with what to do."""
    if not findings:
        return [Content("nothing to look at: every node of this profile is simulated")]
    rows: list[Content] = []
    for node in dict.fromkeys(finding.node for finding in findings):
        rows += (
            [Content(), Content.styled(harmless(node), "bold $accent")]
            if rows
            else [Content.styled(node, "bold $accent")]
        )
        for finding in (finding for finding in findings if finding.node == node):
            mark, style = MARKS.get(finding.verdict, UNKNOWN_MARK)
            rows.append(Content.assemble((f"  {mark:<9}", style), f"{finding.subject:<12}{harmless(finding.text)}"))
            if finding.hint and finding.verdict != "ok":
                rows.append(Content.styled(f"{'':23}-> {harmless(finding.hint)}", "$dim"))
    return rows
