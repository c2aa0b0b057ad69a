"""The bottom line: the keys that do something here.

Textual's own footer makes a widget of every key, anew whenever one of them changes, and keeps hold of the old ones; a
viewer that is left open for days must not. This is one line of text, painted again when it says something else.
"""

from __future__ import annotations

from textual.binding import ActiveBinding
from textual.content import Content
from textual.events import Click
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Static

from sparktui.ui.key_line import GAP, Entry, fitting
from sparktui.ui.text import Part, spread

PALETTE = "palette"


class Keybar(Static):
    """One line on every screen; a click on a key is the key."""

    def __init__(self) -> None:
        super().__init__(Content(), markup=False)
        self._drawn = Content()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def on_resize(self) -> None:
        self._redraw()

    def on_click(self, event: Click) -> None:
        if (key := event.style.meta.get("key")) is not None:
            self.app.simulate_key(str(key))

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self._redraw()

    def _redraw(self) -> None:
        width = self.content_size.width
        if width <= 0 or not self.is_attached:
            return
        content = self._keys(width)
        if not content.is_same(self._drawn):
            self._drawn = content
            self.update(content, layout=False)

    def _keys(self, width: int) -> Content:
        found = self._what_is_shown()
        entries = fitting([self._entry(name, each) for name, each in found.items()], width)
        keys = [self._key(entry, found[entry.id]) for entry in entries]
        if entries and entries[-1].id == PALETTE:
            return spread(Content(" " * GAP).join(keys[:-1]), keys[-1], width)
        return Content(" " * GAP).join(keys)

    def _what_is_shown(self) -> dict[str, ActiveBinding]:
        """Return what is shown by its id, the palette last; one action is shown once, with the key named first."""
        active = self.screen.active_bindings
        shown: dict[str, ActiveBinding] = {}
        for found in active.values():
            if found.binding.show:
                shown.setdefault(found.binding.action, found)
        named = {found.binding.id or action: found for action, found in shown.items()}
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        return named if palette is None else named | {PALETTE: palette}

    def _entry(self, name: str, found: ActiveBinding) -> Entry:
        binding = found.binding
        return Entry(name, self.app.get_key_display(binding), binding.description, enabled=found.enabled)

    def _key(self, entry: Entry, found: ActiveBinding) -> Content:
        name = (entry.key, "bold $accent" if entry.enabled else "$dim")
        parts: list[Part] = [name]
        if entry.name:
            parts += [" ", (entry.name, "" if entry.enabled else "$dim")]
        key = Content.assemble(*parts)
        return key.stylize(Style.from_meta({"key": found.binding.key})) if entry.enabled else key
