"""Elements of SVG and HTML. Every text goes in as data; the standard library escapes it when it is written out."""

from __future__ import annotations

from xml.etree.ElementTree import Element, tostring

from sparktui.exporting.text import visible

__all__ = ["Element", "element", "html", "xml"]


def element(tag: str, *children: Element | str, **attributes: object) -> Element:
    """Return an element; a text among the children stands where it stands.

    `class_` is written `class` and `text_anchor` is `text-anchor`; numbers get one decimal, None is left out.
    """
    made = Element(tag, {_name(name): _value(value) for name, value in attributes.items() if value is not None})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + visible(child)
        else:
            made.text = (made.text or "") + visible(child)
    return made


def xml(root: Element) -> bytes:
    """Return a document as XML."""
    return tostring(root, encoding="unicode").encode() + b"\n"


def html(root: Element) -> bytes:
    """Return a document as HTML5; the content of `style` is written as it is."""
    return b"<!DOCTYPE html>\n" + tostring(root, encoding="unicode", method="html").encode() + b"\n"


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else visible(str(value))
