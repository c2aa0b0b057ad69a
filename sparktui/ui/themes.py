"""The screens' colours: dark, light and the terminal's own, each with a variable for every topology."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

from sparktui.colours import ON_DARK, ON_LIGHT

DARK_NAME = "sparktui-dark"
LIGHT_NAME = "sparktui-light"
ANSI_NAME = "sparktui-ansi"


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
        **_accents(*ON_DARK),
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
        **_accents(*ON_LIGHT),
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

ANSI = Theme(
    name=ANSI_NAME,
    ansi=True,
    primary="ansi_green",
    secondary="ansi_green",
    accent="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    variables={
        **BUILTIN_THEMES["ansi-dark"].variables,
        **_accents(*(f"ansi_{name}" for name in ("cyan", "yellow", "green", "magenta", "blue", "red"))),
        "topology-6": "ansi_bright_cyan",
        "topology-7": "ansi_bright_magenta",
        "dim": "ansi_bright_black",
        "line": "ansi_bright_black",
        "trend": "ansi_bright_black",
        "scrollbar": "ansi_bright_black",
        "scrollbar-hover": "ansi_default",
        "scrollbar-active": "ansi_default",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "scrollbar-corner-color": "ansi_default",
        "simulated": "ansi_magenta",
        "footer-key-foreground": "ansi_green",
        "border": "ansi_green",
        "border-blurred": "ansi_bright_black",
        "block-cursor-text-style": "bold reverse",
    },
)
"""Sixteen colours, as the terminal has them set: for terminals without more, and the fewest bytes on a slow line."""

THEMES = (DARK, LIGHT, ANSI)


def next_theme(name: str) -> str:
    """Return the name of the theme after one of ours, round and round; of a foreign one the first."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(name) + 1) % len(names)] if name in names else names[0]


def variables(theme: Theme) -> dict[str, str]:
    """Return our colours for a theme that is not ours, by what it is."""
    return (ANSI if theme.ansi else DARK if theme.dark else LIGHT).variables
