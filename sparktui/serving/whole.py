"""A listing that proves something is believed only where its last line says that it is whole."""

from __future__ import annotations

from sparktui.errors import HostError
from sparktui.serving.host import Completed

END = "sparktui: this is all"
"""What the script of a listing prints last, and only when nothing before it has failed."""


def whole(done: Completed, what: str, node: str = "") -> list[str]:
    """Return a listing's lines, without its end.

    Raises:
        HostError: It does not end as a whole one does: what is missing of it may be there.
    """
    lines = done.stdout.rstrip("\n").split("\n")
    if lines[-1] == END:
        return lines[:-1]
    where = f" on {node}" if node else ""
    why = done.stderr.strip()[-300:] or f"its command ended with exit code {done.returncode}"
    raise HostError(f"{what}{where} could not be read whole: {why}", "see whether that node has space and memory left")
