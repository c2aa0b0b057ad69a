"""Facts that Launch's workers find out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from sparktui.doctor.findings import Finding
    from sparktui.prospect import Prospect
    from sparktui.store.rows import CampaignRow
    from sparktui.ui.launch_lists import Found, Stamp


@dataclass
class ProfilesRead(Message):
    """The profiles that have a name here, usable or not."""

    found: tuple[Found, ...]
    stamp: Stamp
    """Of the files as they were read."""


@dataclass
class CampaignsRead(Message):
    """What was run before, newest first."""

    rows: tuple[CampaignRow, ...]
    interrupted: frozenset[int] = frozenset()
    """Those that say they are running, and have no runner."""


@dataclass
class ProspectRead(Message):
    """What is known of a profile before it is started."""

    name: str
    prospect: Prospect


@dataclass
class NodesChecked(Message):
    """What a thorough look at a profile's nodes has found."""

    name: str
    findings: tuple[Finding, ...]
