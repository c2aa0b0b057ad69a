"""How a campaign is looked at: the app on a terminal, lines elsewhere, or not at all; and what it ends with."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from sparktui.errors import EngineError, ExitCode, LaunchError, UsageError
from sparktui.paths import store_path

if TYPE_CHECKING:  # what is imported where it is used is not waited for by a viewer
    from sparktui.profile.model import Profile
    from sparktui.ui.doing import Doing

HZ = 4.0
SSH_HZ = 2.0
SERVED = "TEXTUAL_DRIVER"
"""Set where the app draws into a browser, or wherever else its driver leads."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """What was asked for on the command line."""

    plain: bool = False
    as_json: bool = False
    detach: bool = False
    ssh: bool = False

    @property
    def screens(self) -> bool:
        """Whether the app is wanted and can be shown."""
        return not (self.plain or self.as_json or self.detach) and (SERVED in os.environ or not _no_terminal())


def _no_terminal() -> str:
    """Say why no screen can be drawn here; nothing where one can."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        return "not on a terminal"
    return "this terminal cannot draw screens (TERM=dumb)" if os.environ.get("TERM") == "dumb" else ""


def start_and_view(profile: Profile, viewing: Viewing) -> None:
    """Start a campaign and look at it as asked; the process ends with the campaign's exit code."""
    from sparktui.runner.detach import start_campaign

    _view_started(start_campaign(profile), viewing)


def resume_and_view(name: str, profile: str | None, force: bool, viewing: Viewing) -> None:
    """Have a campaign go on and look at it as asked; where nothing of it is missing, say so.

    Args:
        name: Its number, or `last`.
        profile: The name or path of the profile that it is thought to be of.
        force: Go on with topologies that are not what their first waves were measured on.
        viewing: How to look.
    """
    from sparktui.profile.named import profile_named
    from sparktui.runner.resume import nothing_missing, resume
    from sparktui.store.reader import Reader

    with Reader(store_path()) as reader:
        campaign = reader.resolve(name)
    given = None if profile is None else profile_named(profile)
    resumed = resume(campaign, profile=given, force=force)
    if resumed is None:
        click.echo(nothing_missing(campaign), err=True)
        return
    _view_started(campaign, viewing, since=resumed.since)


def _view_started(campaign: int, viewing: Viewing, since: int = 0) -> None:
    if viewing.detach:
        click.echo(f"campaign {campaign} is running; come back with: sparktui attach {campaign}", err=True)
        click.echo(campaign)
        return
    _look(campaign, viewing, stop_on_interrupt=True, since=since)


def view(name: str | None, viewing: Viewing) -> None:
    """Look at a campaign that is there: the named one, or the one that is running, or the last."""
    from sparktui.runner.lock import named_or_running
    from sparktui.store.reader import Reader

    with Reader(store_path()) as reader:
        campaign = reader.resolve(named_or_running(name))
    _look(campaign, viewing, stop_on_interrupt=False)


def view_what_there_is() -> None:
    """Open the app on the race that is running, or else where races are chosen; where no screen can be, say it."""
    from sparktui.runner.lock import running_campaign

    running = running_campaign()
    if Viewing().screens:
        open_app(running)
        return
    from sparktui.overview import print_overview

    click.echo(f"{_no_terminal()}: lines instead of screens", err=True)
    print_overview(running)


def open_app(campaign: int | None, viewing: Viewing = Viewing()) -> None:
    """Open the app; without a campaign, where races are chosen."""
    ssh = slow_line(viewing)
    from sparktui.ui.app import run_app

    farewell = run_app(store_path(), campaign, hz=SSH_HZ if ssh else HZ, start=start_named, doing=_doing())
    if farewell:
        click.echo(farewell, err=True)


def slow_line(viewing: Viewing) -> bool:
    """Tell whether the line is slow; if so, screens that are made after this move nothing and are drawn less often."""
    slow = viewing.ssh or "SSH_CONNECTION" in os.environ
    if slow:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")  # read when textual is imported
        os.environ.setdefault("TEXTUAL_FPS", "10")
    return slow


def _doing() -> Doing:
    """Return what the app resumes and deletes with; imported when it is first done."""
    from sparktui.ui.doing import Doing

    def resume(campaign: int) -> bool:
        from sparktui.runner.resume import resume

        return resume(campaign) is not None

    def lost(campaigns: tuple[int, ...]) -> tuple[str, ...]:
        from sparktui.runner.delete import losses
        from sparktui.store.reader import Reader

        with Reader(store_path()) as reader:
            return tuple(map(str, losses(reader, campaigns)))

    def delete(campaigns: tuple[int, ...]) -> None:
        from sparktui.runner.delete import delete

        delete(campaigns)

    return Doing(resume, lost, delete)


def start_named(profile: str, only: tuple[str, ...] | None = None) -> int:
    """Start a campaign of a profile, by its name or path, or of some of its topologies; return its number."""
    from sparktui.profile.named import profile_named
    from sparktui.profile.narrow import narrowed
    from sparktui.runner.detach import start_campaign

    return start_campaign(narrowed(profile_named(profile), only=only))


def served_model(url: str, model: str | None, key_env: str | None, key_file: str | None = None) -> str:
    """Return the model to ask a server for: the one given, if it serves it, or the only one it has.

    Raises:
        UsageError: It serves another, or several.
        LaunchError: It does not answer.
    """
    from sparktui.serving.key import api_key

    return asyncio.run(_served_model(url, model, api_key(key_env, key_file)))


async def _served_model(url: str, model: str | None, key: str | None) -> str:
    from sparktui.serving.api import EngineApi, new_client, require_model

    async with new_client() as client:
        try:
            served = await EngineApi(url, client, key).models()
        except EngineError as error:
            raise LaunchError(error.message, error.hint) from error
    if model is not None:
        return require_model(served, model, url).id
    if len(served) != 1:
        names = ", ".join(entry.id for entry in served) or "nothing"
        raise UsageError(f"{url} serves {names}", "say which with --model")
    return served[0].id


def _look(campaign: int, viewing: Viewing, *, stop_on_interrupt: bool, since: int = 0) -> None:
    if viewing.screens:
        open_app(campaign, viewing)
        sys.exit(_exit_code(campaign))
    from sparktui.plain import follow
    from sparktui.showing import print_result_json, print_tables

    if not (viewing.plain or viewing.as_json):
        click.echo(f"{_no_terminal()}: lines instead of screens", err=True)
    code = follow(campaign, stop_on_interrupt=stop_on_interrupt, since=since)
    (print_result_json if viewing.as_json else print_tables)(campaign)
    sys.exit(code)


def _exit_code(campaign: int) -> int:
    """Return a finished campaign's exit code; closing the viewer of one that goes on is no failure."""
    from sparktui.store.reader import Reader

    with Reader(store_path()) as reader:
        code = reader.campaign(campaign).exit_code
    return ExitCode.DONE if code is None else code
