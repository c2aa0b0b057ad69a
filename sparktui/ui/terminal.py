"""The terminal that an app is shown on: what comes from it may be no text, and what ends an app is said."""

from __future__ import annotations

import os
from contextlib import suppress

from rich.console import COLOR_SYSTEMS, RenderableType
from textual import constants
from textual.app import App, ReturnType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from sparktui.errors import ScreenError, UsageError


class TerminalDriver(LinuxDriver):
    """Takes any byte for a key, as from a terminal set to Latin-1 or a noisy line, and has the terminal's own size."""

    def run_input_thread(self) -> None:
        """Pass on what is typed; what is not UTF-8 is passed over, with the keys that were read along with it."""
        while True:
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
            return

    def _get_terminal_size(self) -> tuple[int, int]:
        """Ask the terminal itself; `COLUMNS` and `LINES`, which Textual believes first, may be of another one."""
        with suppress(OSError):
            columns, rows = os.get_terminal_size(self.fileno)
            if columns and rows:
                return columns, rows
        return super()._get_terminal_size()  # a serial line does not know its size


class TerminalApp(App[ReturnType]):
    """An app on a terminal, which knows whether it broke off.

    Raises:
        UsageError: What the environment sets for Textual is nothing that it has.
    """

    panicked = False
    """Whether something outside of what handles messages, such as the driver, has ended it by an error."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        if constants.COLOR_SYSTEM not in ("auto", *COLOR_SYSTEMS):
            known = ", ".join(("auto", *COLOR_SYSTEMS))
            raise UsageError(f"TEXTUAL_COLOR_SYSTEM={constants.COLOR_SYSTEM}: expected one of {known}", "or unset it")
        super().__init__(ansi_color=ansi_color)

    def get_driver_class(self) -> type[Driver]:
        """Take our driver in the place of the one it is made of; any other is somebody's choice.

        Raises:
            UsageError: The chosen one is none.
        """
        try:
            chosen = super().get_driver_class()
        except (ImportError, AttributeError, ValueError, RuntimeError) as error:
            raise UsageError(f"TEXTUAL_DRIVER={constants.DRIVER}: {error}", "unset it") from error
        return TerminalDriver if chosen is LinuxDriver else chosen

    def panic(self, *renderables: RenderableType) -> None:
        """Print an error and end, and note it: there is no return code then."""
        self.panicked = True
        super().panic(*renderables)


def run_to_its_end(app: TerminalApp[ReturnType], hint: str) -> ReturnType | None:
    """Run an app until it is closed and return what it ended with.

    Raises:
        ScreenError: It broke off; `hint` says how to go on without it.
    """
    found = app.run()
    if app.panicked or app.return_code:
        raise ScreenError("the screen ended by an error of its own, printed above", hint)
    return found
