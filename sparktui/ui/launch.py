"""Launch: what can be raced, whether it is safe, and what exactly would happen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import OptionList
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from sparktui.errors import ProfileError, SparktuiError, UsageError
from sparktui.ui.dialogs import TextDialog
from sparktui.ui.explain import Explanation
from sparktui.ui.explain_launch import LAUNCH
from sparktui.ui.launch_lists import (
    CAMPAIGNS_SHOWN,
    Found,
    Stamp,
    campaign_line,
    find_profiles,
    findings_text,
    profiles_stamp,
)
from sparktui.ui.launch_messages import CampaignsRead, NodesChecked, ProfilesRead, ProspectRead
from sparktui.ui.launch_rows import launch_rows
from sparktui.ui.messages import WorkFailed
from sparktui.ui.snapshot import EMPTY, Snapshot
from sparktui.ui.starting import known_trouble
from sparktui.ui.table_shown import TableShown
from sparktui.ui.text import commands_text
from sparktui.ui.whose import Whose
from sparktui.ui.widgets.before import Choice, Heads, Meaning, NodesNow, Told
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.topologies import Profiles, Topologies

if TYPE_CHECKING:
    from pathlib import Path

    from sparktui.doctor.findings import Finding
    from sparktui.profile.model import Profile
    from sparktui.prospect import Prospect
    from sparktui.store.rows import CampaignRow
    from sparktui.ui.app import SparktuiApp

HOW_TO_OPEN = {"profiles": "Tab twice, then Enter opens", "topologies": "Tab, then Enter opens"}
"""The list of campaigns says how far it is from where the cursor is: on the way there, Enter starts a race."""
REREAD_S = 2.0
ASK_AGAIN_S = 10.0
"""Nodes, while their screen is in front and nothing is being measured."""
SETTLE_S = 0.2
"""How long the cursor rests on a profile before its nodes are asked."""


class Campaigns(OptionList):
    """The last campaigns; while there are none nothing can be done here, so the way to the other lists passes it by."""

    def __init__(self) -> None:
        super().__init__(id="campaigns", classes="box", markup=False)

    def allow_focus(self) -> bool:
        return super().allow_focus() and self.option_count > 0


class LaunchScreen(Screen[None]):
    """Enter starts the ticked topologies of the profile under the cursor, or opens a campaign."""

    CSS_PATH = "launch.tcss"
    EXPLAIN: ClassVar[tuple[Explanation, ...]] = LAUNCH
    AUTO_FOCUS = "#profiles"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "commands", "Commands", id="commands", tooltip="Exactly what would be typed on which node"),
        Binding("c", "check", "Check", id="check", tooltip="Look at every node before a launch would"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, Found] = {}
        self._rows: tuple[CampaignRow, ...] = ()
        self._interrupted: frozenset[int] = frozenset()
        self._stamp: Stamp = ()
        self._known: dict[str, Prospect] = {}
        self._checked: dict[str, tuple[Finding, ...]] = {}
        self._name: str | None = None
        self._choice = Choice()
        self._snapshot: Snapshot = EMPTY
        self._paced: list[Timer] = []
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Masthead("launch")
        with Horizontal(id="choice"):
            with Vertical(id="left"):
                yield Profiles()
                nodes = NodesNow("nodes-now", "box")
                nodes.border_title = "left on the nodes now"
                yield nodes
            with Vertical(id="what", classes="box") as what:
                what.border_title = "what will run · Tab, then space ticks · Enter starts"
                yield Heads("heads")
                yield Topologies()
                yield Meaning("meaning")
        yield Campaigns()
        yield Keybar()

    def on_mount(self) -> None:
        self._paced = [
            self.set_interval(REREAD_S, self._read_campaigns),
            self.set_interval(REREAD_S, self._read_profiles),
            self.set_interval(ASK_AGAIN_S, self._again),
        ]
        self.call_after_refresh(self._read_profiles)  # which takes long to import what it reads them with

    def on_screen_suspend(self) -> None:
        for timer in self._paced:
            timer.pause()

    def on_screen_resume(self) -> None:
        for timer in self._paced:
            timer.resume()
        self.call_after_refresh(self._read_campaigns)

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot: only whose it is; the lists have their own, slower, pace."""
        self._snapshot = snapshot
        for masthead in self.query(Masthead):
            masthead.show(snapshot)

    def rows_shown(self) -> TableShown | None:
        """Return the topologies with their verdicts."""
        profile = self._choice.usable
        ticked = self.query_one(Topologies).ticked
        return None if profile is None else launch_rows(profile, self._choice.prospect, ticked)

    def whose(self) -> tuple[Whose, ...]:
        """Return nothing: a profile's prospect is no campaign's, whichever is open."""
        return ()

    @work(thread=True, group="profiles", exclusive=True)
    def _read_profiles(self) -> None:
        """Read the profiles, where a file of theirs is another than the last time."""
        stamp = profiles_stamp()
        if stamp != self._stamp:
            self.post_message(ProfilesRead(find_profiles(), stamp))

    @work(thread=True, group="campaigns", exclusive=True)
    def _read_campaigns(self) -> None:
        from sparktui.store.reader import Reader

        try:
            with Reader(self._app.store_path) as reader:
                rows = tuple(reader.campaigns()[:CAMPAIGNS_SHOWN])
                self.post_message(CampaignsRead(rows, _interrupted(rows, self._app.store_path)))
        except UsageError:
            self.post_message(CampaignsRead(()))
        except SparktuiError as error:
            self.app.post_message(WorkFailed(error))

    @work(thread=True, group="prospect", exclusive=True)
    def _ask(self, name: str, profile: Profile) -> None:
        """Find out what can be known of a profile, the slowest last."""
        from sparktui.foresight import found_out

        worker = get_current_worker()
        try:
            for prospect in found_out(profile, self._app.store_path, self._known.get(name)):
                if worker.is_cancelled:
                    return
                self.post_message(ProspectRead(name, prospect))
        except SparktuiError as error:
            self.app.post_message(WorkFailed(error))

    @work(thread=True, group="check", exclusive=True)
    def _check(self, name: str, profile: Profile) -> None:
        from sparktui.doctor.command import check

        try:
            self.post_message(NodesChecked(name, tuple(asyncio.run(check(profile)))))
        except SparktuiError as error:
            self.app.post_message(WorkFailed(error))

    @property
    def _app(self) -> SparktuiApp:
        return cast("SparktuiApp", self.app)

    def _again(self) -> None:
        """Ask the nodes again, unless something is being measured, which this would disturb."""
        campaign, profile = self._snapshot.campaign, self._choice.usable
        measuring = campaign is not None and campaign.running and not campaign.interrupted
        if self._name is not None and profile is not None and not measuring:
            self._ask(self._name, profile)

    def on_profiles_read(self, message: ProfilesRead) -> None:
        if message.stamp == self._stamp:
            return  # read twice: the first reading, which imports what reads them, may take long
        self._stamp = message.stamp
        self._found = {found.entry.name: found for found in message.found}
        profiles = self.query_one(Profiles)
        profiles.tell(message.found)
        names = list(self._found)
        if names:
            chosen = next((name for name in (self._name, "demo") if name in names), names[0])
            profiles.highlighted = names.index(chosen)
            if chosen == self._name:  # the cursor stays where it was, and what is under it may be another profile
                self._known.pop(chosen, None)
                self._choose(chosen)

    def on_campaigns_read(self, message: CampaignsRead) -> None:
        if (message.rows, message.interrupted) == (self._rows, self._interrupted):
            return
        self._rows, self._interrupted = message.rows, message.interrupted
        options = self.query_one(Campaigns)
        self._title()
        at = options.highlighted
        width = max((len(row.name) for row in message.rows), default=0)
        lines = [campaign_line(row, width, interrupted=row.id in message.interrupted) for row in message.rows]
        options.set_options(Option(line, id=str(row.id)) for line, row in zip(lines, message.rows, strict=True))
        options.highlighted = min(at or 0, len(message.rows) - 1) if message.rows else None
        if options.has_focus and not message.rows:
            self.query_one(Profiles).focus()

    def on_descendant_focus(self) -> None:
        self._title()

    def _title(self) -> None:
        at = self.focused.id if self.focused is not None else None
        how = HOW_TO_OPEN.get(at or "", "Enter opens")
        title = f"last campaigns · {how}" if self._rows else "no campaigns yet: Enter starts the first"
        self.query_one(Campaigns).border_title = title

    def on_prospect_read(self, message: ProspectRead) -> None:
        self._known[message.name] = message.prospect
        if message.name == self._name:
            self._tell(replace(self._choice, prospect=message.prospect, looked=True))

    def on_nodes_checked(self, message: NodesChecked) -> None:
        self._checked[message.name] = message.findings
        self.app.push_screen(TextDialog(f"nodes of {message.name}", findings_text(message.findings)))

    def on_topologies_refused(self, message: Topologies.Refused) -> None:
        self.notify(message.why, title=f"{message.topology} cannot be started", severity="error", markup=False)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_list.id == "profiles" and event.option_id in self._found:
            self._choose(event.option_id)
        elif event.option_list.id == "topologies" and event.option_id != self._choice.topology:
            self._choice = replace(self._choice, topology=event.option_id)
            self.query_one(Meaning).tell(self._choice)

    def _choose(self, name: str) -> None:
        """Show a profile with what is known of it, and find out the rest once the cursor rests."""
        found, self._name = self._found[name], name
        known = self._known.get(name)
        choice = Choice(found.entry.summary, found.profile, looked=known is not None)
        self._tell(choice if known is None else replace(choice, prospect=known))
        if self._settling is not None:
            self._settling.stop()
        if choice.usable is not None:
            self._settling = self.set_timer(SETTLE_S, self._settled)

    def _settled(self) -> None:
        if self._name is not None and self._choice.usable is not None:
            self._ask(self._name, self._choice.usable)

    def _tell(self, choice: Choice) -> None:
        topologies = self.query_one(Topologies)
        topologies.tell(choice.usable, choice.prospect)
        self._choice = replace(choice, topology=topologies.under_cursor)
        for told in self.query(Told):
            told.tell(self._choice)

    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_list.id == "campaigns" and event.option_id is not None:
            await self._app.open_campaign(int(event.option_id))
        elif isinstance(event.option_list, Topologies):
            event.option_list.action_tick()

    def action_start(self) -> None:
        """Start a race of the topologies that are ticked."""
        profile, ticked = self._choice.usable, self.query_one(Topologies).ticked
        if isinstance(self._choice.profile, ProfileError):
            self._app.post_message(WorkFailed(self._choice.profile))
        elif profile is not None and self._name is not None and ticked:
            only = None if ticked == tuple(profile.topologies) else ticked
            expected_s = self._choice.prospect.expected(ticked)
            self._app.ask_to_start(self._name, profile, only, expected_s, self._trouble(profile, ticked))
        elif profile is not None:
            self._app.post_message(WorkFailed(_nothing_to_start(profile, self._choice.prospect)))

    def _trouble(self, profile: Profile, ticked: tuple[str, ...]) -> tuple[str, ...]:
        """Return what is known to be wrong with the nodes; nothing before they have been asked."""
        if not self._choice.looked:
            return ()
        return known_trouble(profile, ticked, self._choice.prospect, self._checked.get(self._name or "", ()))

    def action_commands(self) -> None:
        """Show exactly what would be typed for every ticked topology."""
        ticked = self.query_one(Topologies).ticked
        known = self._choice.prospect.commands
        if self._name is None or not known:
            self.notify("what would be typed is not known yet", markup=False)
            return
        self.app.push_screen(TextDialog(f"exact commands of {self._name}", commands_text(known, ticked)))

    def action_check(self) -> None:
        """Look at every node of the profile, as `sparktui check` does."""
        if isinstance(self._choice.profile, ProfileError):
            self._app.post_message(WorkFailed(self._choice.profile))
        elif self._name is not None and self._choice.usable is not None:
            self.notify(f"looking at the nodes of {self._name}", markup=False)
            self._check(self._name, self._choice.usable)


def _nothing_to_start(profile: Profile, prospect: Prospect) -> UsageError:
    refusals = [f"{name}: {why}" for name in profile.topologies if (why := prospect.refusal(name))]
    return UsageError("no topology is ticked", "\n".join(refusals) or "Tab to the topologies, space ticks one")


def _interrupted(rows: Sequence[CampaignRow], path: Path) -> frozenset[int]:
    """Return which of these say that they are running and have no runner; of another folder's nobody knows."""
    from sparktui.paths import store_path
    from sparktui.runner.lock import has_runner

    if path != store_path():
        return frozenset()
    return frozenset(row.id for row in rows if row.state in ("queued", "running") and not has_runner(row.id))
