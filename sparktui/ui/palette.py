"""The command palette's names: every profile to start, every campaign to open, every node to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from sparktui.errors import ProfileError, SparktuiError
from sparktui.moments import DAY_AND_TIME, local_time
from sparktui.ui.launch_lists import Found, find_profiles
from sparktui.ui.messages import WorkFailed

if TYPE_CHECKING:
    from sparktui.ui.app import SparktuiApp

CAMPAIGNS = 200


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that can be gone to by its name."""

    title: str
    help: str
    act: Callable[[], Any]


class Names(Provider):
    """Reads the names when the palette opens, away from the event loop."""

    async def startup(self) -> None:
        app = cast("SparktuiApp", self.app)
        found = await asyncio.to_thread(_read, app.store_path)
        self._named = [*_profiles(app, found.profiles), *_nodes(app), *_campaigns(app, found)]

    async def discover(self) -> Hits:
        for named in self._named:
            yield DiscoveryHit(named.title, named.act, help=named.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for named in self._named:
            if (score := matcher.match(named.title)) > 0:
                yield Hit(score, matcher.highlight(named.title), named.act, help=named.help)


@dataclass(frozen=True, slots=True)
class _Found:
    profiles: tuple[Found, ...]
    campaigns: tuple[tuple[int, str, str], ...]
    """Number, title, and when and how it ended."""


def _read(store: Path) -> _Found:
    from sparktui.store.reader import Reader

    profiles = find_profiles()
    try:
        with Reader(store) as reader:
            rows = reader.campaigns()[:CAMPAIGNS]
    except SparktuiError:
        return _Found(profiles, ())  # no store yet, or one that the screens already complain about
    campaigns = tuple(
        (row.id, f"Open campaign {row.id}: {row.name}", f"{_when(row.created)}, {row.source}, {row.state}")
        for row in rows
    )
    return _Found(profiles, campaigns)


def _when(t: float) -> str:
    return local_time(t, DAY_AND_TIME)


def _profiles(app: SparktuiApp, profiles: tuple[Found, ...]) -> list[Named]:
    return [Named(f"Start {found.entry.name}", found.entry.summary, partial(_start, app, found)) for found in profiles]


def _start(app: SparktuiApp, found: Found) -> None:
    if isinstance(found.profile, ProfileError):
        app.post_message(WorkFailed(found.profile))
    else:
        app.ask_to_start(found.entry.name, found.profile)


def _nodes(app: SparktuiApp) -> list[Named]:
    names = [node.name for node in app.snapshot.nodes]
    return [Named(f"Node {name}", "Memory over time", partial(app.look_at_node, name)) for name in names]


def _campaigns(app: SparktuiApp, found: _Found) -> list[Named]:
    return [Named(title, told, partial(app.open_campaign, number)) for number, title, told in found.campaigns]
