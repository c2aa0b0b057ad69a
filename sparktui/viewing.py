"""How a campaign is looked at: the app on a terminal, lines elsewhere, or not at all; and what it ends with."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparktui.errors import EngineError, ExitCode, LaunchError, UsageError
from sparktui.paths import data_dir, store_path
from sparktui.store.reader import Reader

if TYPE_CHECKING:  # what is imported where it is used is not waited for by a viewer
    from sparktui.profile import Profile

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
        return not (self.plain or self.as_json or self.detach) and (SERVED in os.environ or _on_terminal())


def _on_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def start_and_view(profile: Profile, viewing: Viewing) -> None:
    """Start a campaign and look at it as asked; the process ends with the campaign's exit code."""
    from sparktui.runner.detach import start_campaign

    campaign = start_campaign(profile)
    if viewing.detach:
        click.echo(campaign)
        click.echo(f"campaign {campaign} is running; come back with: sparktui attach {campaign}", err=True)
        return
    _look(campaign, viewing, stop_on_interrupt=True)


def view(name: str, viewing: Viewing) -> None:
    """Look at a campaign that is there."""
    with Reader(store_path()) as reader:
        campaign = reader.resolve(name)
    _look(campaign, viewing, stop_on_interrupt=False)


def open_app(campaign: int | None, viewing: Viewing = Viewing()) -> None:
    """Open the app; without a campaign, where races are chosen."""
    if not viewing.screens:
        raise UsageError("the app needs a terminal", "try `sparktui demo`, or `sparktui --help` for the commands")
    ssh = viewing.ssh or "SSH_CONNECTION" in os.environ
    if ssh:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")  # read when textual is imported, below
        os.environ.setdefault("TEXTUAL_FPS", "10")
    from sparktui.ui.app import run_app

    farewell = run_app(store_path(), campaign, hz=SSH_HZ if ssh else HZ, start=start_named)
    if farewell:
        click.echo(farewell, err=True)


def start_named(profile: str) -> int:
    """Start a campaign of a profile, by its name or path, and return its number."""
    from sparktui.profile import load_profile
    from sparktui.profile.catalog import find_profile
    from sparktui.runner.detach import start_campaign

    return start_campaign(load_profile(find_profile(profile)))


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


def print_plan(profile: Profile) -> None:
    """Print what would be typed on which node for every topology, or why one cannot be launched."""
    from sparktui.runner.plans import make_plans
    from sparktui.serving.render import render

    plans = asyncio.run(make_plans(profile, Path(data_dir()) / "run" / "N"))
    texts = [
        f"# {name}: cannot be launched: {found.message}\n" if isinstance(found, LaunchError) else render(found)
        for name, found in plans.items()
    ]
    click.echo("\n".join(texts), nl=False)


def _look(campaign: int, viewing: Viewing, *, stop_on_interrupt: bool) -> None:
    if viewing.screens:
        open_app(campaign, viewing)
        sys.exit(_exit_code(campaign))
    from sparktui.plain import follow, print_result_json, print_tables

    code = follow(campaign, stop_on_interrupt=stop_on_interrupt)
    (print_result_json if viewing.as_json else print_tables)(campaign)
    sys.exit(code)


def _exit_code(campaign: int) -> int:
    """Return a finished campaign's exit code; closing the viewer of one that goes on is no failure."""
    with Reader(store_path()) as reader:
        code = reader.campaign(campaign).exit_code
    return ExitCode.DONE if code is None else code
