"""What a process does whose stdin, stdout or stderr was closed by whoever started it, as `>&-` does."""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

from sparktui.errors import OutputError


class ClosedOutput(io.TextIOBase):
    """Stands where stdout would be: a result that is written to it is lost, and that is told."""

    encoding = "utf-8"

    def write(self, _: str) -> NoReturn:
        raise OutputError("stdout is closed: there is nowhere to print to", "leave it open, or send it to a file")


def stand_in_for_closed() -> None:
    """Have printing to a closed stdout fail, and none of these numbers be given to the next file that is opened."""
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            _occupy(number)
    if sys.stdout is None:
        sys.stdout = ClosedOutput()


def _occupy(number: int) -> None:
    file = os.open(os.devnull, os.O_RDWR)
    if file != number:
        os.dup2(file, number)
        os.close(file)
    os.set_inheritable(number, True)
