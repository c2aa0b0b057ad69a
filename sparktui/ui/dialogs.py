"""What stands in front of a screen: a question before something ends, an error with its way out, explanations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from sparktui.errors import LaunchError, ProfileError, SparktuiError
from sparktui.ui.explain import Explanation
from sparktui.ui.keys import KeyInWords, KeysInWords
from sparktui.ui.snapshot import EMPTY, Event, Snapshot
from sparktui.ui.text import harmless
from sparktui.ui.widgets.log import every_line
from sparktui.ui.widgets.long_text import LongText

FURTHER = " " * 8
"""Before what a line of a text goes on with."""
DETAILS = 8
"""Lines of details; the rest is in the log."""


class ConfirmDialog(ModalScreen[bool]):
    """Asks before anything is started or stopped; the safe answer has the focus.

    Args:
        question: What is asked.
        consequence: What yes would do.
        yes: What yes is called.
        dangerous: Whether something ends by it.
        but: What is known that speaks against it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(
        self, question: str, consequence: str, yes: str, *, dangerous: bool = True, but: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._yes = yes
        self._dangerous = dangerous
        self._but = but

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(harmless(self._question)), classes="question")
            yield Static(Content(harmless(self._consequence)))
            for line in self._but:
                yield Static(Content.styled(harmless(line), "$warning"))
            with Horizontal(classes="buttons"):
                yield Button(f"{self._yes} (y)", id="yes", variant="error" if self._dangerous else "primary")
                yield Button("No (n)", id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


class ErrorDialog(ModalScreen[None]):
    """Says what went wrong and what to do next."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "Close")]

    def __init__(self, error: SparktuiError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -error"):
            yield Static(Content(self._error.message), classes="question")
            for detail in _details(self._error):
                yield Static(Content(harmless(detail)), classes="detail")
            if self._error.hint:
                yield Static(Content(self._error.hint))
            yield Static("Esc closes", classes="hint")


def _details(error: SparktuiError) -> Sequence[str]:
    """Return a profile's problems, or the last lines of what did not come up."""
    if isinstance(error, ProfileError):
        return error.problems[:DETAILS]
    return error.log_tail.splitlines()[-DETAILS:] if isinstance(error, LaunchError) else ()


class TextDialog(ModalScreen[None]):
    """A text as long as it is, to be scrolled through; a line that is wider than the box goes on, indented, below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,d,c,enter", "dismiss", "Close")]

    def __init__(self, title: str, lines: Sequence[Content]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        box = LongText(
            lambda width: [row for line in self._lines for row in _folded(line, width)], classes="dialog text"
        )
        box.border_title = Content(self._title)
        box.border_subtitle = "Esc closes · arrows scroll"
        yield box


def _folded(line: Content, width: int) -> Iterator[Content]:
    """Return a line in rows that are no wider, broken between words where it can be."""
    if line.cell_length <= width:
        yield line
        return
    first, *_ = line.wrap(width)
    yield first
    rest = line.plain[len(first) :]
    for row in line[len(line) - len(rest.lstrip()) :].wrap(max(1, width - len(FURTHER))):
        yield Content.assemble(FURTHER, row)


class EventsDialog(ModalScreen[None]):
    """Every event that is kept, whole, and the logs under them; it opens at the newest."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,l,enter", "dismiss", "Close")]

    def __init__(self, events: Sequence[Event]) -> None:
        super().__init__()
        self._events = events

    def compose(self) -> ComposeResult:
        box = LongText(lambda width: every_line(self._events, width), classes="dialog text")
        box.border_title = "events"
        box.border_subtitle = "Esc closes · arrows scroll"
        yield box

    def on_mount(self) -> None:
        self.call_after_refresh(self.query_one(LongText).scroll_end, animate=False)


class ExplainDialog(ModalScreen[None]):
    """The screen's own keys, then every figure on it: what it is, its unit, its source, what good looks like."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss", "Close")]

    def __init__(
        self,
        title: str,
        explanations: Sequence[Explanation],
        keys: KeysInWords,
        snapshot: Snapshot = EMPTY,
    ) -> None:
        super().__init__()
        self._title = title
        self._snapshot = snapshot
        self._explanations = explanations
        self._keys = keys

    def compose(self) -> ComposeResult:
        box = LongText(self._lines, classes="dialog explain")
        box.border_title = Content(self._title)
        box.border_subtitle = "Esc closes · arrows scroll"
        yield box

    def _lines(self, width: int) -> Sequence[Content]:
        here = [_keys("Keys of this screen", self._keys.here, width)] if self._keys.here else []
        told = (_paragraph(explanation, self._snapshot, width) for explanation in self._explanations)
        everywhere = _keys("Keys of every screen", self._keys.everywhere, width)
        return [line for paragraph in (*here, *told, everywhere) for line in (*paragraph, Content())]


def _paragraph(explanation: Explanation, snapshot: Snapshot, width: int) -> Iterator[Content]:
    now = explanation.now(snapshot) if explanation.now is not None else ""
    yield from _heading(explanation, width)
    yield from _wrapped(explanation.what, width)
    for label, text in (("From", explanation.source), ("Just now", now), ("Good", explanation.good)):
        yield from _wrapped(f"{label}: {text}" if text else "", width, "$dim")


def _heading(explanation: Explanation, width: int) -> Iterator[Content]:
    """Return the name and the unit, on one line where they fit."""
    line = Content.assemble((explanation.name, "bold $accent"), (f"  {explanation.unit}".rstrip(), "$dim"))
    if line.cell_length <= width:
        yield line
        return
    yield from _wrapped(explanation.name, width, "bold $accent")
    yield from _wrapped(explanation.unit, width, "$dim")


def _keys(title: str, keys: Sequence[KeyInWords], width: int) -> Iterator[Content]:
    room = max((len(key) for key, _ in keys), default=0)
    yield Content.styled(title, "bold $accent")
    for key, description in keys:
        yield Content.assemble((key.ljust(room), "bold"), f"  {description}").truncate(width, ellipsis=True)


def _wrapped(text: str, width: int, style: str = "") -> Iterator[Content]:
    for line in textwrap.wrap(harmless(text), width):
        yield Content.styled(line, style)
