"""The keys that work on every screen; each has an id, so that it can be mapped to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.binding import ActiveBinding, Binding, BindingType

# In the order in which the bottom line shows them; `key_line` says which of them give way.
KEYS: list[BindingType] = [
    Binding(
        "1",
        "go('launch')",
        "Launch",
        show=False,
        id="go-launch",
        tooltip="Profiles to race, and what was run before",
    ),
    Binding("2", "go('live')", "Live", show=False, id="go-live", tooltip="The race as it runs"),
    Binding(
        "3",
        "go('sweep')",
        "Sweep",
        show=False,
        id="go-sweep",
        tooltip="Any figure against concurrency, a line a topology",
    ),
    Binding(
        "4",
        "go('compare')",
        "Compare",
        show=False,
        id="go-compare",
        tooltip="Which topology wins at which concurrency",
    ),
    Binding(
        "5",
        "go('nodes')",
        "Nodes",
        show=False,
        id="go-nodes",
        tooltip="Memory over time, and how close each node came",
    ),
    Binding(
        "6",
        "go('history')",
        "History",
        show=False,
        id="go-history",
        tooltip="What was run before: open, compare, resume, delete",
    ),
    Binding("question_mark", "explain", "Help", id="explain", tooltip="Every figure on this screen in words"),
    Binding("a", "acknowledge", "Seen", id="acknowledge", tooltip="Take note of what the guard has done"),
    Binding("e", "export", "CSV", id="export", tooltip="Write what this screen shows as CSV"),
    Binding("s", "picture", "SVG", id="picture", tooltip="Write this screen as SVG"),
    Binding("q", "quit", "Quit", id="quit", tooltip="Close the viewer; the campaign goes on"),
    Binding("x", "stop", "Stop", id="stop", tooltip="Stop the campaign; asks first"),
    Binding("t", "theme", "Theme", id="theme", tooltip="Dark, light, or the terminal's own 16 colours"),
]


KeyInWords = tuple[str, str]
"""A key as it is written, and what it does."""


@dataclass(frozen=True, slots=True)
class KeysInWords:
    """What can be pressed on the screen in front; what Textual's own widgets scroll by is left out."""

    here: tuple[KeyInWords, ...]
    everywhere: tuple[KeyInWords, ...]

    @classmethod
    def of(cls, app: App[Any]) -> KeysInWords:
        """Return the keys of an app as they are now."""
        shown = [one for one in app.screen.active_bindings.values() if _is_ours(app, one)]
        here, everywhere = (
            tuple(dict.fromkeys(_in_words(app, one.binding) for one in keys))
            for keys in ([one for one in shown if one.node is not app], [one for one in shown if one.node is app])
        )
        return cls(here, everywhere)


def _in_words(app: App[Any], binding: Binding) -> KeyInWords:
    return app.get_key_display(binding), binding.tooltip or binding.description


def _is_ours(app: App[Any], shown: ActiveBinding) -> bool:
    return shown.binding.id is not None or shown.binding.key == app.COMMAND_PALETTE_BINDING
