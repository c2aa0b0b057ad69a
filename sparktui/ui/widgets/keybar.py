"""The bottom line: the keys that do something here.

Textual's own footer makes a widget of every key, anew whenever one of them changes, and keeps hold of the old ones; a
viewer that is left open for days must not. This is one line of text, painted again when it says something else.
"""

from __future__ import annotations

from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.events import Click
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Static

from sparktui.ui.text import spread


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
        active = self.screen.active_bindings
        shown: dict[str, ActiveBinding] = {}
        for found in active.values():
            if found.binding.show:
                shown.setdefault(found.binding.action, found)
        keys = [self._key(found.binding, enabled=found.enabled) for found in shown.values()]
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        return spread(Content("  ").join(keys), Content() if palette is None else self._palette(palette), width)

    def _palette(self, palette: ActiveBinding) -> Content:
        return self._key(palette.binding, enabled=palette.enabled)

    def _key(self, binding: Binding, *, enabled: bool) -> Content:
        name = (self.app.get_key_display(binding), "bold $accent" if enabled else "$dim")
        key = Content.assemble(name, " ", (binding.description, "" if enabled else "$dim"))
        if not enabled:
            return key
        return key.stylize(Style.from_meta({"key": binding.key}))
