"""The colours, and nowhere else: a dark and a light theme, each with one accent per topology as a theme variable."""

from __future__ import annotations

from textual.theme import Theme

ACCENTS = 8
"""How many topologies have a colour of their own; after that the colours begin again."""

DARK_NAME = "sparktui-dark"
LIGHT_NAME = "sparktui-light"


def _accents(*colours: str) -> dict[str, str]:
    return {f"topology-{index}": colour for index, colour in enumerate(colours)}


DARK = Theme(
    name=DARK_NAME,
    dark=True,
    primary="#76b900",
    secondary="#5c8f00",
    accent="#76b900",
    foreground="#dfe3e6",
    background="#101314",
    surface="#171b1d",
    panel="#242a2d",
    success="#7bc96f",
    warning="#f2b13d",
    error="#ff6f66",
    variables={
        **_accents("#6cb6ff", "#f2b13d", "#3fcf9b", "#e58cd8", "#d9d25b", "#ff8f73", "#5fd4e8", "#b9a3ff"),
        "dim": "#8b959b",
        "line": "#3a4347",
        "trend": "#66727a",
        "scrollbar": "#3a4347",
        "scrollbar-hover": "#66727a",
        "scrollbar-active": "#66727a",
        "scrollbar-background": "#171b1d",
        "scrollbar-background-hover": "#171b1d",
        "scrollbar-background-active": "#171b1d",
        "scrollbar-corner-color": "#171b1d",
        "simulated": "#d9a7ff",
        "footer-key-foreground": "#9fd44a",
        "border-blurred": "#3a4347",
        "block-cursor-text-style": "bold",
    },
)

LIGHT = Theme(
    name=LIGHT_NAME,
    dark=False,
    primary="#3f6b00",
    secondary="#5c8f00",
    accent="#3f6b00",
    foreground="#1b2023",
    background="#f7f8f6",
    surface="#eef0ec",
    panel="#dfe3dc",
    success="#1f7a2e",
    warning="#8a5a00",
    error="#b3261e",
    variables={
        **_accents("#0b5cad", "#9a5300", "#00704f", "#94298a", "#6b6000", "#a8321b", "#006577", "#5a3cc0"),
        "dim": "#5c666b",
        "line": "#b9c0b6",
        "trend": "#8d978f",
        "scrollbar": "#b9c0b6",
        "scrollbar-hover": "#8d978f",
        "scrollbar-active": "#8d978f",
        "scrollbar-background": "#eef0ec",
        "scrollbar-background-hover": "#eef0ec",
        "scrollbar-background-active": "#eef0ec",
        "scrollbar-corner-color": "#eef0ec",
        "simulated": "#6f2da8",
        "footer-key-foreground": "#3f6b00",
        "border-blurred": "#b9c0b6",
        "block-cursor-text-style": "bold",
    },
)


def accent(index: int) -> str:
    """Return the style that names a topology's colour, by its place in the race."""
    return f"$topology-{index % ACCENTS}"
