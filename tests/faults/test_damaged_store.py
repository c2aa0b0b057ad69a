"""Rows that a hand, a bad disk or another program has changed: every command says something, and nothing acts on it."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from textual.pilot import Pilot

from sparktui.cli import cli
from sparktui.errors import SparktuiError
from sparktui.ui.messages import WorkFailed
from sparktui.visible import visible
from tests.faults import damaged, tried
from tests.ui.viewing import Viewer

COMMANDS = (
    ("list",),
    ("show", "1"),
    ("show", "1", "--json"),
    ("compare", "1", "published/gemma4-26b-a4b", "--force"),
    ("nodes", "1"),
    ("attach", "1", "--plain"),
    ("export", "1", "--format", "html"),
    ("export", "1", "--format", "json"),
    ("export", "1", "--format", "csv"),
    ("export", "1", "--format", "csv-wide"),
)
DEADLINE_S = 20.0
SCREENS = ("", "3", "4", "5", "6", "1", "2")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    return damaged.fresh(tmp_path / "sparktui.db")


def acts(text: str) -> list[str]:
    """Return the characters of a text that a terminal would obey."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c not in "\n\t\r"]


def taken_as_markup(picture: str) -> list[str]:
    """Return where the odd name is shown without what would be markup in it; cut off is as good as shown."""
    return [rest for rest in re.findall(r"owned([^\\].{8})", picture) if "[2J" not in rest and "…" not in rest]


def said(command: tuple[str, ...]) -> str:
    """Return what a command says; anything but an answer or a typed error is raised."""
    with tried.bad_input():
        done = CliRunner().invoke(cli, list(command))
        if isinstance(done.exception, SparktuiError):
            return done.output + visible(done.exception.message + done.exception.hint)  # as `main` prints it
        if done.exception is not None and not isinstance(done.exception, SystemExit | click.ClickException):
            raise done.exception
        return done.output


@pytest.mark.parametrize("table", damaged.TABLES)
def test_every_command_answers_whatever_is_in_a_table(store: Path, table: str) -> None:
    for columns in damaged.groups(store, table):
        for shift in damaged.shifts(store, table, columns):
            damaged.fresh(store)
            damaged.damage(store, table, columns, shift)
            for command in COMMANDS:
                text = said(command)
                assert text, (columns, command)
                assert acts(text) == [], (columns, command)


@pytest.mark.parametrize("table", damaged.TABLES)
def test_a_value_of_another_type_is_told(store: Path, table: str) -> None:
    damaged.loosen(store, table)
    for value in ("text", 1.5, b"\xff", None, "[" * 9_999, '{"a":' * 9_999):
        damaged.put(store, table, value)
        for command in COMMANDS:
            assert said(command)


@pytest.mark.parametrize("table", damaged.TABLES)
async def test_every_screen_is_drawn_whatever_is_in_a_table(store: Path, table: str) -> None:
    for number, columns in enumerate(damaged.kinds(store, table)):
        own = damaged.fresh(store.with_name(f"{number}.db"))  # the viewer before may still be closing its own
        damaged.damage(own, table, columns)
        viewer = Telling(own, 1)
        async with viewer.run_test(size=(120, 36)) as pilot:
            for key in SCREENS:
                with tried.bad_input():
                    await pilot.press(*key)
                    await looked(pilot, viewer)
                picture = drawn(viewer)
                assert len(picture.split()) > 5, (columns, key)
                assert acts(picture) == [], (columns, key)
                assert taken_as_markup(picture) == [], (columns, key)


class Telling(Viewer):
    """Also says when it could not read the store; it tells its user once."""

    failed = False

    def on_work_failed(self, _: WorkFailed) -> None:
        self.failed = True
        self.drawn.set()


async def looked(pilot: Pilot[str], viewer: Telling) -> None:
    """Have the viewer look once more, and wait until what it saw, or that it could not see, is on screen."""
    viewer.drawn.clear()
    viewer.look()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3 if viewer.failed else DEADLINE_S):
            await viewer.drawn.wait()
    assert viewer.failed or viewer.drawn.is_set()
    await pilot.pause()


def drawn(viewer: Viewer) -> str:
    """Return the characters on the screen in front."""
    return "\n".join("".join(segment.text for segment in line) for line in viewer.screen._compositor.render_strips())
