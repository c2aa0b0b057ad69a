"""The driver of a viewer in a browser's window: it ends with `sparktui serve`, however that one ended."""

from __future__ import annotations

import os

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp

END_S = 10.0
"""A viewer that cannot leave in time has nothing to lose: races are their runners', and figures the store's."""


class WindowDriver(WebDriver):
    """Input is a pipe from the server: its end is the server's, and comes where no `quit` could be said."""

    def run_input_thread(self) -> None:
        """Pass on what the window says; then leave."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._write_to_nobody()
            self._app.post_message(ExitApp())
            if not self.exit_event.wait(END_S):
                os._exit(1)

    def _write_to_nobody(self) -> None:
        """Let what is drawn on the way out go nowhere: a pipe that nobody reads would be an error for each line."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for fd in (1, 2):
            os.dup2(nowhere, fd)
        os.close(nowhere)
