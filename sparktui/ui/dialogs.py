"""What stands in front of a screen: a question before something ends, an error with its way out, explanations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from sparktui.errors import LaunchError, ProfileError, SparktuiError
from sparktui.ui.explain import Explanation
from sparktui.ui.text import harmless

DETAILS = 8
"""Lines of details; the rest is in the log."""


class ConfirmDialog(ModalScreen[bool]):
    """Asks before anything is stopped; the safe answer has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, consequence: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(harmless(self._question)), classes="question")
            yield Static(Content(harmless(self._consequence)))
            with Horizontal(classes="buttons"):
                yield Button(f"{self._yes} (y)", id="yes", variant="error")
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


class ExplainDialog(ModalScreen[None]):
    """Every figure on the screen in words: what it is, its unit, where it comes from, what good looks like."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss", "Close")]

    def __init__(self, title: str, explanations: Sequence[Explanation], keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._explanations = explanations
        self._keys = keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog explain") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes · arrows scroll"
            for explanation in self._explanations:
                yield Static(_paragraph(explanation), classes="explanation")
            yield Static(_keys(self._keys), classes="explanation")


def _paragraph(explanation: Explanation) -> Content:
    unit = f"  {explanation.unit}" if explanation.unit else ""
    return Content.assemble(
        (explanation.name, "bold $accent"),
        (unit, "$dim"),
        f"\n{explanation.what}",
        (f"\nFrom: {explanation.source}", "$dim") if explanation.source else "",
        (f"\nGood: {explanation.good}", "$dim") if explanation.good else "",
    )


def _keys(keys: Sequence[tuple[str, str]]) -> Content:
    width = max((len(key) for key, _ in keys), default=0)
    rows = [Content.assemble(("Keys", "bold $accent"))]
    rows += [Content.assemble((key.ljust(width), "bold"), f"  {description}") for key, description in keys]
    return Content("\n").join(rows)
