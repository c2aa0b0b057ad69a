"""Foreign text on its way out: names, logs and models' words are shown, and obeyed by nothing that shows them."""

from __future__ import annotations

import json
import unicodedata

_KEPT = "\n\t"


def visible(text: str) -> str:
    """Return text without a character that a terminal, a browser or a reader's eye could take for something else.

    Control and format characters, such as escape sequences and the ones that turn the direction of writing, are
    written as `\\x1b`; line ends and tabs stay.
    """
    return "".join(c if c in _KEPT or _is_plain(c) else f"\\x{ord(c):02x}" for c in text)


def visible_json(document: bytes) -> bytes:
    """Return JSON with every such character written as an escape of JSON's own: it says the same as before."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return "".join(c if c in _KEPT or _is_plain(c) else json.dumps(c)[1:-1] for c in document.decode()).encode()


def printable(text: str) -> str:
    """Return text that a terminal shows and never obeys: engines' logs and models' words may hold escape sequences."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


def _is_plain(c: str) -> bool:
    return c.isprintable() or unicodedata.category(c) == "Zs"
