"""`sparktui watch`: finds what is meant, and looks at it: on a screen, as lines, or as JSON, one object a line."""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from sparktui.profile.named import profile_named
from sparktui.serving.api import new_client
from sparktui.serving.key import api_key
from sparktui.viewing import SSH_HZ, Viewing, slow_line
from sparktui.visible import printable
from sparktui.watching.lines import document, plain_lines
from sparktui.watching.nodes import follow_nodes
from sparktui.watching.targets import Targets, find_targets, is_url
from sparktui.watching.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    targets: Sequence[str]
    hz: float
    key_env: str | None = None
    key_file: str | None = None


def watch(asked: Asked, viewing: Viewing) -> None:
    """Watch until Ctrl-C, or until the screen is closed.

    Raises:
        UsageError: There is no such profile, or a URL or a key cannot be used.
        ProfileError: A profile cannot be used.
    """
    targets = _found(asked)
    with tempfile.TemporaryDirectory(prefix="sparktui-watch-") as folder:
        watcher = Watcher(targets.endpoints, follow_nodes(targets.profiles, Path(folder)))
        if viewing.screens:
            slow = slow_line(viewing)
            from sparktui.ui.watch import run_watch_app

            run_watch_app(watcher, min(asked.hz, SSH_HZ) if slow else asked.hz, asked.hz)
            return
        with suppress(KeyboardInterrupt):
            asyncio.run(_print(watcher, asked.hz, as_json=viewing.as_json))


def _found(asked: Asked) -> Targets:
    urls = [target for target in asked.targets if is_url(target)]
    profiles = [profile_named(target) for target in asked.targets if not is_url(target)]
    return find_targets(urls, profiles, api_key(asked.key_env, asked.key_file))


async def _print(watcher: Watcher, hz: float, *, as_json: bool) -> None:
    async with new_client() as client:
        following = asyncio.create_task(watcher.run(client, hz))
        for number in (signal.SIGTERM, signal.SIGHUP):  # no agent is to be left behind
            asyncio.get_running_loop().add_signal_handler(number, following.cancel)
        try:
            while not following.done():
                await asyncio.sleep(1 / hz)
                picture = watcher.picture()
                lines = [json.dumps(document(picture))] if as_json else map(printable, plain_lines(picture))
                click.echo("\n".join(lines))
            if not following.cancelled():
                await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
