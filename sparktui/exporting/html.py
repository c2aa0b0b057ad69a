"""One HTML file with a whole campaign's answer: it opens without a network, asks for nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files

from sparktui.compare.comparison import Comparison
from sparktui.exporting.markup import Element, element, html
from sparktui.exporting.palette import STYLE
from sparktui.exporting.report import sections
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import one_line

E = element


def chunks(subject: Subject) -> Iterator[bytes]:
    """Return the page."""
    comparison = subject.comparison()
    yield html(E("html", _head(subject), _body(subject, comparison), lang="en"))


def _head(subject: Subject) -> Element:
    style = f"{STYLE}\n{(files('sparktui.exporting') / 'report.css').read_text(encoding='utf-8')}"
    mark = "SIMULATED: " if subject.simulated else ""
    return E(
        "head",
        E("meta", charset="utf-8"),
        E("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        E("meta", name="viewport", content="width=device-width, initial-scale=1"),
        E("meta", name="color-scheme", content="light dark"),
        E("title", f"{mark}{one_line(subject.campaign.name)}: which topology wins"),
        E("style", style),
    )


def _policy(style: str) -> str:
    """Allow this one style sheet and nothing else: no script, no picture, no font, no request, no form."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _body(subject: Subject, comparison: Comparison) -> Element:
    return E("body", E("main", *sections(subject, comparison)))
