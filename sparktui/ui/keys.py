"""The keys that work on every screen; each has an id, so that it can be mapped to another."""

from __future__ import annotations

from textual.binding import Binding, BindingType

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
        "4",
        "go('compare')",
        "Compare",
        show=False,
        id="go-compare",
        tooltip="Which topology wins at which concurrency",
    ),
    Binding("question_mark", "explain", "Explain", id="explain", tooltip="Every figure on this screen in words"),
    Binding("e", "export", "CSV", id="export", tooltip="Write the campaign's figures as CSV"),
    Binding("s", "picture", "SVG", id="picture", tooltip="Write this screen as SVG"),
    Binding("x", "stop", "Stop", id="stop", tooltip="Stop the campaign; asks first"),
    Binding("t", "theme", "Theme", id="theme", tooltip="Dark or light"),
    Binding("q", "quit", "Quit", id="quit", tooltip="Close the viewer; the campaign goes on"),
]
