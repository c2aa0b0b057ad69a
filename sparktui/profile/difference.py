"""In what two profiles differ, key by key; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sparktui.profile.model import Profile

_MISSING = object()


def differences(first: Profile, second: Profile) -> tuple[str, ...]:
    """Return a line for every key that differs: `workload.tg: 128, now 64`."""
    return tuple(_lines("", first.model_dump(mode="json"), second.model_dump(mode="json")))


def _lines(path: str, first: object, second: object) -> Iterator[str]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in dict.fromkeys((*first, *second)):
            inner = f"{path}.{key}" if path else str(key)
            yield from _lines(inner, first.get(key, _MISSING), second.get(key, _MISSING))
    elif first != second:
        yield f"{path}: {_shown(first)}, now {_shown(second)}"


def _shown(value: object) -> str:
    if value is _MISSING:
        return "not there"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
