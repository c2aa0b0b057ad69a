"""What kind of terminal it is decides how it is looked at: screens, fewer colours, a slower pace, or lines."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import queue
import signal
import struct
import termios
import threading
from collections.abc import Callable
from functools import partialmethod
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from textual import constants, events
from textual.message import Message

from sparktui.cli import cli
from sparktui.errors import ExitCode, ScreenError, UsageError
from sparktui.ui import themes
from sparktui.ui.app import SparktuiApp, run_app
from sparktui.ui.terminal import TerminalDriver
from sparktui.viewing import HZ, SSH_HZ, Viewing, open_app, view_what_there_is
from sparktui.watching.command import Asked, watch
from tests.ui.fixture_store import FINISHED
from tests.ui.viewing import change, recorded
from tests.waiting import wait_until


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    there = SimpleNamespace(stdin=Terminal(), stdout=Terminal())
    monkeypatch.setattr("sparktui.viewing.sys", there)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_CONNECTION", "TEXTUAL_DRIVER", "TEXTUAL_ANIMATIONS", "TEXTUAL_FPS", "NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_there_are_screens() -> None:
    assert Viewing().screens
    assert not Viewing(plain=True).screens


@pytest.mark.usefixtures("terminal")
def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert not Viewing().screens


def test_what_is_no_terminal_gets_lines_and_a_word_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, FINISHED)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    looked = CliRunner().invoke(cli, ["attach", "last"])
    assert "not on a terminal: lines instead of screens" in looked.stderr
    assert "shuffle" in looked.stdout
    assert "instead of screens" not in CliRunner().invoke(cli, ["attach", "last", "--plain"]).stderr


def test_lines_of_what_is_over_do_not_say_what_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = recorded(tmp_path, FINISHED)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    change(store, "UPDATE event SET data = json_object('cell', 1) WHERE kind = 'cell-done'")
    replayed = CliRunner().invoke(cli, ["attach", "last", "--plain"]).stderr
    assert "tok/s · TTFT" in replayed
    assert "left" not in replayed.replace("nothing left behind", "")
    change(store, "UPDATE event SET t = ? WHERE id = (SELECT max(id) FROM event WHERE kind = 'cell-done')", 4e9)
    assert "100 %, about 0 s left" in CliRunner().invoke(cli, ["attach", "last", "--plain"]).stderr


def test_attach_prints_the_result_as_json_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, FINISHED)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    attached, shown = (CliRunner().invoke(cli, [command, "1", "--json"]).stdout for command in ("attach", "show"))
    assert json.loads(attached) == json.loads(shown)


@pytest.mark.parametrize("term", ["dumb", "xterm-256color"])
def test_the_app_asked_for_without_a_terminal_is_a_list_of_what_there_is_and_what_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    recorded(tmp_path, FINISHED)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    monkeypatch.setenv("TERM", term)
    said = CliRunner().invoke(cli, [], catch_exceptions=False)
    assert said.exit_code == 0
    assert "gemma4-26b-a4b" in said.stdout
    assert "sparktui demo" in said.stderr
    assert "\x1b" not in said.output


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("running", [None, 3])
def test_the_app_opens_on_the_race_that_is_running(monkeypatch: pytest.MonkeyPatch, running: int | None) -> None:
    opened: list[int | None] = []
    monkeypatch.setattr("sparktui.runner.lock.running_campaign", lambda: running)
    monkeypatch.setattr("sparktui.viewing.open_app", opened.append)
    view_what_there_is()
    assert opened == [running]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("ssh", "connection", "hz"), [(False, "", HZ), (True, "", SSH_HZ), (False, "1.2.3.4 5 6 7", SSH_HZ)]
)
def test_over_ssh_it_looks_half_as_often_and_nothing_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ssh: bool, connection: str, hz: float
) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    if connection:
        monkeypatch.setenv("SSH_CONNECTION", connection)
    monkeypatch.setattr("sparktui.ui.app.run_app", lambda *_, **options: asked.update(options) or "")
    open_app(None, Viewing(ssh=ssh))
    assert asked["hz"] == hz
    assert os.environ.pop("TEXTUAL_ANIMATIONS", None) == ("none" if hz == SSH_HZ else None)
    assert os.environ.pop("TEXTUAL_FPS", None) == ("10" if hz == SSH_HZ else None)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("ssh", "hz"), [(False, 8.0), (True, SSH_HZ)])
def test_watch_over_ssh_is_drawn_less_often_and_asks_as_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ssh: bool, hz: float
) -> None:
    paces: list[tuple[float, float]] = []
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    monkeypatch.setattr("sparktui.ui.watch.run_watch_app", lambda _, *pace: paces.append(pace))
    watch(Asked(("http://127.0.0.1:1",), 8.0), Viewing(ssh=ssh))
    assert paces == [(hz, 8.0)]
    assert os.environ.pop("TEXTUAL_ANIMATIONS", None) == ("none" if ssh else None)
    os.environ.pop("TEXTUAL_FPS", None)


@pytest.mark.parametrize(
    ("variables", "theme"),
    [
        ({"TERM": "xterm-256color"}, themes.DARK_NAME),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, themes.DARK_NAME),
        ({"TERM": "linux"}, themes.ANSI_NAME),
        ({"TERM": "screen"}, themes.ANSI_NAME),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, themes.ANSI_NAME),
    ],
)
def test_a_terminal_of_sixteen_colours_or_none_gets_the_theme_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], theme: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    seen = []
    monkeypatch.setattr(SparktuiApp, "run", lambda app: seen.append(app.suiting_theme))
    run_app(tmp_path / "sparktui.db")
    assert seen == [theme]


def on_message(_: SparktuiApp) -> None:
    raise RuntimeError("of a screen")


def in_driver(app: SparktuiApp) -> None:
    app.panic("of the driver")


@pytest.mark.parametrize("broken", [on_message, in_driver])
def test_a_screen_that_broke_off_is_an_error_and_not_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Callable[[SparktuiApp], None]
) -> None:
    monkeypatch.setattr(SparktuiApp, "on_mount", broken)
    monkeypatch.setattr(SparktuiApp, "run", partialmethod(SparktuiApp.run, headless=True))
    with pytest.raises(ScreenError) as told:
        run_app(tmp_path / "sparktui.db")
    assert told.value.exit_code == ExitCode.PARTIAL
    assert "sparktui attach --plain" in told.value.hint


class OnPipe(TerminalDriver):
    """Keeps what is typed into a pipe."""

    def __init__(self, pipe: int) -> None:
        super().__init__(SparktuiApp(Path("none"), None))
        self.fileno = pipe
        self.typed: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def process_message(self, message: Message) -> None:
        self.typed.put(message)


async def test_what_is_typed_in_another_encoding_than_utf_8_leaves_the_screen_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a Latin-1 terminal an `ü` is one byte, as may be what a bad line makes of another key."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # a driver takes Ctrl-Z for itself
    reading, writing = os.pipe()
    driver = OnPipe(reading)
    keys = threading.Thread(target=driver.run_input_thread)
    keys.start()
    try:
        for text in (b"a", b"\xfc", "ü".encode(), b"b"):
            os.write(writing, text)
            assert await asyncio.to_thread(wait_until, lambda: not left(reading), 30.0, 0.01)
        found = [await asyncio.to_thread(driver.typed.get, timeout=30.0) for _ in range(3)]
    finally:
        driver.exit_event.set()
        os.close(writing)
        keys.join(30.0)
        os.close(reading)
    assert [event.character for event in found if isinstance(event, events.Key)] == ["a", "ü", "b"]


def left(pipe: int) -> int:
    """Return how many bytes in a pipe have not been read."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [("DRIVER", "nope"), ("DRIVER", ""), ("DRIVER", "os:nope"), ("DRIVER", "os:PathLike"), ("COLOR_SYSTEM", "zzz")],
)
def test_what_the_environment_sets_for_textual_and_is_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr(constants, name, value)
    with pytest.raises(UsageError, match=f"^TEXTUAL_{name}={value}: "):
        SparktuiApp(Path("none"), None)


@pytest.mark.parametrize(("size", "taken"), [((120, 40), (120, 40)), ((0, 0), (200, 60))])
async def test_the_size_is_the_terminals_own_where_it_knows_it(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], taken: tuple[int, int]
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LINES", "60")
    master, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", *reversed(size), 0, 0))
    assert OnPipe(terminal)._get_terminal_size() == taken
    os.close(master)
    os.close(terminal)


def test_on_a_terminal_the_app_has_the_driver_that_takes_any_byte() -> None:
    assert SparktuiApp(Path("none"), None).driver_class is TerminalDriver
