"""What in a profile looks like a secret, by its name or its form: a profile is stored, exported and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sparktui.profile.problems import Path

WHY = "a profile is stored, exported and printed"
_WORDS = "SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|ACCESS_?KEY_ID|(API|ACCESS|AUTH|MASTER|PRIVATE|SECRET)_?KEY"
_VARIABLE = re.compile(rf"(^|_)({_WORDS}|TOKEN|(?<!PUBLIC_)KEY)$", re.IGNORECASE)
"""In an environment hardly anything else ends like this."""
_OPTION = re.compile(
    rf"(^|_)({_WORDS}|AUTHORIZATION|(HF|API|AUTH|ACCESS|BEARER|REFRESH)_TOKEN)$|^(TOKEN|KEY)$", re.IGNORECASE
)
"""Among options and keys of a request there are tokens that are none, such as `--eos-token`."""
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.+)", re.DOTALL)
_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@:]*:[^/\s@]+@", re.IGNORECASE)
_KEYS_OWN_FORM = re.compile(
    r"(?<![\w-])(sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|gh[opsu]_[A-Za-z0-9]{30,}|nvapi-[\w-]{20,}|AKIA[A-Z0-9]{16})(?![\w-])"
)


def names_a_secret(variable: str) -> bool:
    """Tell whether an environment variable's name says of its value that it is a secret."""
    return _VARIABLE.search(variable) is not None


def secrets(data: object, at: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield where a profile's data holds what looks like a secret, with what to do; never the secret itself.

    An `env` is not looked at by the names in it: its own type does that.
    """
    if isinstance(data, dict):
        for key, value in data.items():
            if at[:3] == ("workload", "sampling", "extra_body") and value and _is_option(str(key)):
                yield (
                    (*at, key),
                    f"expected no secret: {WHY}; what a server wants as its key goes into serving.api_key_env",
                )
            else:
                yield from secrets(value, (*at, key))
    elif isinstance(data, list | tuple):
        yield from _in_words(data, at)
        for index, value in enumerate(data):
            yield from secrets(value, (*at, index))
    elif isinstance(data, str):
        yield from _in_text(data, at)


def _in_text(text: str, at: Path) -> Iterator[tuple[Path, str]]:
    if at != ("serving", "url") and _IN_ADDRESS.search(text):
        yield at, f"expected no password in an address: {WHY}"
    elif _KEYS_OWN_FORM.search(text):
        yield at, f"expected no API key or token: {WHY}; set it on the node itself"


def _in_words(words: Sequence[object], at: Path) -> Iterator[tuple[Path, str]]:
    """Look for options and assignments that give a secret, in the words of a command and in those of a shell's text."""
    pieces = [(index, piece) for index, word in enumerate(words) if isinstance(word, str) for piece in word.split()]
    for (index, piece), (_, after) in zip(pieces, [*pieces[1:], (0, "-")], strict=False):
        if (name := _given(piece, after)) is not None:
            yield (*at, index), f"expected no secret with {name}: {WHY}; set it on the node itself"


def _given(piece: str, after: str) -> str | None:
    """Return the name under which a word, or the word after it, gives a secret."""
    if not piece.startswith("-"):
        return _assigned(piece)
    option, equals, value = piece.partition("=")
    if _is_option(option) and (value if equals else not after.startswith("-")):
        return option
    return _assigned(value)


def _assigned(text: str) -> str | None:
    found = _ASSIGNED.fullmatch(text)
    return found[1] if found and names_a_secret(found[1]) else None


def _is_option(name: str) -> bool:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.lstrip("-")).replace("-", "_").replace(".", "_")
    return _OPTION.search(plain) is not None
