"""Launch: what can be raced, and what was run before."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from sparktui.errors import ProfileError, SparktuiError, UsageError
from sparktui.profile.catalog import ProfileEntry, list_profiles
from sparktui.profile.loader import load_profile
from sparktui.profile.model import Profile
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow
from sparktui.ui import explain
from sparktui.ui.messages import WorkFailed
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, harmless, lines
from sparktui.ui.themes import accent
from sparktui.ui.widgets.masthead import BADGES, Masthead

if TYPE_CHECKING:
    from sparktui.ui.app import SparktuiApp

CAMPAIGNS_SHOWN = 50
REREAD_S = 2.0

Found = tuple[ProfileEntry, Profile | ProfileError]


@dataclass
class ProfilesRead(Message):
    """The profiles that have a name here, usable or not."""

    found: tuple[Found, ...]


@dataclass
class CampaignsRead(Message):
    """What was run before, newest first."""

    rows: tuple[CampaignRow, ...]


class LaunchScreen(Screen[None]):
    """Enter starts the profile, or opens the campaign, under the cursor."""

    CSS_PATH = "launch.tcss"
    EXPLAIN: ClassVar[tuple[explain.Explanation, ...]] = explain.LAUNCH
    AUTO_FOCUS = "#profiles"

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, Found] = {}
        self._rows: tuple[CampaignRow, ...] = ()

    def compose(self) -> ComposeResult:
        yield Masthead("launch")
        with Horizontal(id="choice"):
            profiles = OptionList(id="profiles", classes="box", markup=False)
            profiles.border_title = "profiles · Enter starts"
            yield profiles
            yield Plan()
        campaigns = OptionList(id="campaigns", classes="box", markup=False)
        campaigns.border_title = "campaigns · Tab, then Enter opens"
        yield campaigns
        yield Footer()

    def on_mount(self) -> None:
        self._read_profiles()
        self._timer = self.set_interval(REREAD_S, self._read_campaigns)
        self._read_campaigns()

    def on_screen_suspend(self) -> None:
        self._timer.pause()

    def on_screen_resume(self) -> None:
        self._timer.resume()
        self._read_campaigns()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot: only whose it is; the lists have their own, slower, pace."""
        for masthead in self.query(Masthead):
            masthead.show(snapshot)

    @work(thread=True, group="profiles", exclusive=True)
    def _read_profiles(self) -> None:
        self.post_message(ProfilesRead(tuple((entry, _loaded(entry)) for entry in list_profiles())))

    @work(thread=True, group="campaigns", exclusive=True)
    def _read_campaigns(self) -> None:
        try:
            with Reader(cast("SparktuiApp", self.app).store_path) as reader:
                self.post_message(CampaignsRead(tuple(reader.campaigns()[:CAMPAIGNS_SHOWN])))
        except UsageError:
            self.post_message(CampaignsRead(()))
        except SparktuiError as error:
            self.app.post_message(WorkFailed(error))

    def on_profiles_read(self, message: ProfilesRead) -> None:
        self._found = {entry.name: (entry, profile) for entry, profile in message.found}
        width = max((len(name) for name in self._found), default=0)
        options = self.query_one("#profiles", OptionList)
        options.clear_options()
        options.add_options(Option(_profile_line(found, width), id=name) for name, found in self._found.items())
        if self._found:
            options.highlighted = list(self._found).index("demo") if "demo" in self._found else 0

    def on_campaigns_read(self, message: CampaignsRead) -> None:
        if message.rows == self._rows:
            return
        self._rows = message.rows
        options = self.query_one("#campaigns", OptionList)
        at = options.highlighted
        options.clear_options()
        width = max((len(row.name) for row in message.rows), default=0)
        options.add_options(Option(_campaign_line(row, width), id=str(row.id)) for row in message.rows)
        options.highlighted = min(at or 0, len(message.rows) - 1) if message.rows else None

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_list.id == "profiles" and event.option_id in self._found:
            self.query_one(Plan).tell(self._found[event.option_id])

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        app = cast("SparktuiApp", self.app)
        if event.option_id is None:
            return
        if event.option_list.id == "campaigns":
            await app.open_campaign(int(event.option_id))
            return
        found = self._found[event.option_id][1]
        if isinstance(found, ProfileError):
            app.post_message(WorkFailed(found))
        else:
            app.start_race(event.option_id)


class Plan(Static):
    """What the profile under the cursor would run, or why it cannot be used."""

    def __init__(self) -> None:
        super().__init__(id="plan", classes="box", markup=False)
        self.border_title = "what will run"
        self._told: Found | None = None

    def tell(self, found: Found) -> None:
        """Describe a profile."""
        self._told = found
        self.update(_plan(*found, self.content_size.width))

    def on_resize(self) -> None:
        if self._told is not None:
            self.tell(self._told)


def _loaded(entry: ProfileEntry) -> Profile | ProfileError:
    try:
        return load_profile(entry.path)
    except ProfileError as error:
        return error


def _profile_line(found: Found, width: int) -> Content:
    entry, profile = found
    if isinstance(profile, ProfileError):
        count = max(1, len(profile.problems))
        return Content.assemble((entry.name.ljust(width), "$dim"), (f"  cannot be used: {count} problems", "$error"))
    mark = ("  SIMULATED", "bold $simulated") if profile.simulated else ""
    counts = f"  {len(profile.nodes)} nodes  {len(profile.topologies)} topologies"
    return Content.assemble((entry.name.ljust(width), "bold"), (counts, "$dim"), mark)


def _plan(entry: ProfileEntry, profile: Profile | ProfileError, columns: int) -> Content:
    if isinstance(profile, ProfileError):
        return lines([Content(harmless(problem)) for problem in profile.problems] or [Content(profile.message)])
    load = profile.workload
    levels = " ".join(f"c{level}" for level in load.concurrency)
    width = max(len(name) for name in profile.topologies)
    rows = [
        Content(harmless(entry.summary or profile.description)),
        Content.assemble(("model  ", "$dim"), harmless(profile.model.id)),
        Content.assemble(("load   ", "$dim"), f"pp{load.pp} tg{load.tg} · {load.runs} waves at each of {levels}"),
        Content(),
    ]
    for index, (name, topology) in enumerate(profile.topologies.items()):
        where = (" + " if topology.kind == "cluster" else " | ").join(topology.nodes)
        told = f"  {harmless(topology.description)}" if topology.description else ""
        row = Content.assemble((name.ljust(width), f"bold {accent(index)}"), f"  {where}", (told, "$dim"))
        rows.append(row.truncate(columns, ellipsis=True))
    return lines(rows)


def _campaign_line(row: CampaignRow, width: int) -> Content:
    when = time.strftime("%d %b %H:%M", time.localtime(row.created))
    badge = BADGES.get(row.source, "")
    parts: list[Part] = [(f"{row.id:>4}  ", "$dim"), f"{when}  ", (harmless(row.name).ljust(width), "bold")]
    parts += [f"  {row.state:<8}", (f"  {badge}", "bold $simulated" if row.simulated else "bold")]
    return Content.assemble(*parts, (f"  {harmless(row.detail or '')}", "$dim"))
