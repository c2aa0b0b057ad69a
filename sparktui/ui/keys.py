"""The keys that work on every screen; each has an id, so that it can be mapped to another."""

from __future__ import annotations

from textual.binding import Binding, BindingType

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
