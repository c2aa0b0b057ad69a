"""From what a user types to what is compared: `3`, `last`, `3/solo`, `published/gemma4-26b-a4b/shuffle`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sparktui.compare.comparison import Selection
from sparktui.importing.published import PREFIX, open_published
from sparktui.store.reader import Reader


@contextmanager
def selected(texts: Sequence[str], path: Path) -> Iterator[tuple[Selection, ...]]:
    """Open what the texts name, for as long as the context lasts; the user's store only where one of them is in it.

    Raises:
        UsageError: There is no such campaign, or no store yet. A topology is looked for when it is compared.
        StoreError: The store cannot be read.
    """
    with ExitStack() as stack:
        opened = _Opened(stack, path)
        yield tuple(opened.selection(text) for text in texts)


class _Opened:
    """The stores opened so far, each once."""

    def __init__(self, stack: ExitStack, path: Path) -> None:
        self._stack = stack
        self._path = path
        self._own: Reader | None = None
        self._published: dict[str, tuple[Reader, int]] = {}

    def selection(self, text: str) -> Selection:
        if text.startswith(PREFIX):
            name, _, topology = text.removeprefix(PREFIX).partition("/")
            reader, campaign = self._reference(name)
            return Selection(reader, campaign, name, topology or None)
        which, _, topology = text.partition("/")
        if self._own is None:
            self._own = self._stack.enter_context(Reader(self._path))
        campaign = self._own.resolve(which)
        return Selection(self._own, campaign, str(campaign), topology or None)

    def _reference(self, name: str) -> tuple[Reader, int]:
        if name not in self._published:
            self._published[name] = self._stack.enter_context(open_published(name))
        return self._published[name]
