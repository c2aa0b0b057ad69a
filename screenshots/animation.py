"""Several screenshots as one: an SVG that shows them in turns, with no script and nothing to fetch."""

from __future__ import annotations

import re
from collections.abc import Sequence

FONTS = '"Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace'
FONT_FACE = re.compile(r"@font-face \{.*?\}", re.DOTALL)
PLACED = re.compile(r' textLength="[^"]*"(?=[^>]*>[^<]*\0)')
"""The width of a piece of text that has another length now."""
VIEW_BOX = re.compile(r'viewBox="([^"]+)"')


def self_contained(svg: str) -> str:
    """Return a screenshot that asks no server for its font."""
    named = FONT_FACE.sub("", svg).replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")
    return "\n".join(line.rstrip() for line in named.splitlines() if line.strip()) + "\n"


def anonymous(svg: str, folder: str) -> str:
    """Return a screenshot that says `~/sparktui` where the machine's own folder stood."""
    return PLACED.sub("", svg.replace(folder, "\0")).replace("\0", "~/sparktui")


def animated(frames: Sequence[str], seconds: Sequence[float]) -> str:
    """Return one SVG that shows each frame for its seconds, round and round.

    Args:
        frames: Screenshots of one size.
        seconds: How long each is shown.
    """
    box = VIEW_BOX.search(frames[0])
    assert box is not None
    total = sum(seconds)
    starts = [sum(seconds[:number]) for number in range(len(frames))]
    rules = "".join(_rule(number, starts[number], seconds[number], total) for number in range(len(frames)))
    shown = "\n".join(f'<g class="frame frame-{number}">\n{svg}</g>' for number, svg in enumerate(frames))
    style = f".frame {{ visibility: hidden; animation: {total}s step-end infinite; }}\n{rules}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1]}">\n<style>\n{style}</style>\n{shown}\n</svg>\n'


def _rule(number: int, start: float, seconds: float, total: float) -> str:
    on, off = 100 * start / total, 100 * (start + seconds) / total
    hidden = "" if on == 0 else "0% { visibility: hidden; } "
    after = "" if off >= 100 else f" {off:.2f}% {{ visibility: hidden; }}"
    steps = f"{hidden}{on:.2f}% {{ visibility: visible; }}{after}"
    return f"@keyframes frame-{number} {{ {steps} }}\n.frame-{number} {{ animation-name: frame-{number}; }}\n"
