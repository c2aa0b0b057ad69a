"""When a file says it was measured."""

from __future__ import annotations

from datetime import UTC, datetime

from sparktui.errors import ImportFileError


def epoch(text: str | None, name: str, form: str | None = None) -> float | None:
    """Return a date as seconds since the epoch; one without a time zone is taken for UTC.

    Args:
        text: The date; None where the file has none.
        name: The file, for the message.
        form: How it is written, for `strptime`; ISO 8601 where left out.

    Raises:
        ImportFileError: It is no such date.
    """
    if text is None:
        return None
    try:
        when = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - below
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ImportFileError(f"{name}: {text[:40]!r} is no date") from error
