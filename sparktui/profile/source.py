"""YAML text as plain values that remember their lines, read with fewer surprises than YAML has."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml

from sparktui.profile.problems import Path, Problem

MAX_DEPTH = 32
MAX_VALUES = 10_000
STR, INT, FLOAT, BOOL, NULL, TIMESTAMP, MERGE, VALUE = (
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
TEXT_TAGS = (STR, TIMESTAMP, MERGE, VALUE)
"""No key of a profile is a date: an unquoted one is the text it looks like."""
PARSER_WORDS = {
    "the node content": "a value",
    "'<stream end>'": "the end of the file",
    "'<document start>'": "a new document",
    "<block end>": "the end of it (look at the indentation)",
    "'<block mapping start>'": "a mapping further in",
    "'<block sequence start>'": "a list further in",
    "'<scalar>'": "text",
    "a flow node": "a value",
    "a flow mapping": "a {mapping}",
    "a flow sequence": "a [list]",
    "a block mapping": "a mapping",
    "a block collection": "a list",
    "a quoted scalar": "text in quotes",
    "a simple key": "a key",
    "scanner": "YAML",
}
"""What the parser calls things, and what people do."""


@dataclass(slots=True)
class Source:
    """What a profile's text holds."""

    data: object = None
    """Mappings with text keys, tuples for lists, text, numbers, booleans, None."""
    lines: dict[Path, int] = field(default_factory=dict)
    """The line each key, or list item, stands in."""
    unquoted: dict[Path, str] = field(default_factory=dict)
    """How scalars without quotes are written."""
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of a key, or of the nearest one above it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


class _RefusedError(Exception):
    def __init__(self, reason: str, event: yaml.Event) -> None:
        super().__init__(reason)
        self.line = event.start_mark.line + 1 if event.start_mark else 0


class _Loader(yaml.SafeLoader):
    """Composes nodes only: no aliases, which can hide gigabytes in a line, no bottomless nesting, no endless lists."""

    depth = 0
    values = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError("aliases (*name) are not read: write the value out", event)
        if self.depth >= MAX_DEPTH:
            raise _RefusedError(f"nested more than {MAX_DEPTH} deep", event)
        if self.values >= MAX_VALUES:
            raise _RefusedError(f"more than {MAX_VALUES} values; expected a profile of some dozens", event)
        self.values += 1
        self.depth += 1
        try:
            return super().compose_node(parent, index)  # type: ignore[arg-type]
        finally:
            self.depth -= 1


def read_source(text: str) -> Source:
    """Read YAML text; what is wrong with the text as such is in `problems`."""
    source = Source()
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        source.problems.append(_broken(error))
        return source
    except _RefusedError as error:
        source.problems.append(Problem(error.line, (), str(error)))
        return source
    except yaml.reader.ReaderError as error:
        source.problems.append(_unreadable(error, text))
        return source
    source.lines[()] = 1
    if node is None:
        source.problems.append(
            Problem(1, (), "the file is empty; expected a mapping with keys such as name, nodes, model")
        )
    elif not isinstance(node, yaml.MappingNode):
        source.problems.append(Problem(1, (), "expected a mapping with keys such as name, nodes, model"))
    else:
        source.data = _Builder(loader, source).value(node, ())
    return source


@dataclass(frozen=True, slots=True)
class _Builder:
    loader: _Loader
    source: Source

    def value(self, node: yaml.Node, path: Path) -> object:
        self.source.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.value(item, (*path, index)) for index, item in enumerate(node.value))
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, path, "expected a key that is text")
                continue
            key = str(key_node.value)
            at = (*path, key)
            if key in result:
                self._problem(key_node, at, f"the key is here twice; first in line {self.source.lines[at]}")
                continue
            self.source.lines[at] = _line(key_node)
            result[key] = self.value(value_node, at)
        return result

    def _scalar(self, node: yaml.Node, path: Path) -> object:
        text = str(node.value)
        if getattr(node, "style", None) is None:
            self.source.unquoted[path] = text
        if node.tag in TEXT_TAGS:
            return text
        if node.tag == NULL:
            return None
        if node.tag not in (INT, FLOAT, BOOL):
            self._problem(node, path, f"the tag {node.tag} is not read: write a plain value")
            return None
        return self._number_or_switch(node, path, text)

    def _number_or_switch(self, node: yaml.Node, path: Path, text: str) -> object:
        try:
            return self.loader.construct_object(node)
        except (ValueError, KeyError, OverflowError, yaml.YAMLError):
            self._problem(node, path, f"{text[:40]!r} is not a value YAML can read: put it in quotes if it is text")
            return None

    def _problem(self, node: yaml.Node, path: Path, text: str) -> None:
        self.source.problems.append(Problem(_line(node), path, text))


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 0


def _broken(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    text, context = str(error.problem or "cannot be read"), str(error.context or "")
    if text.startswith("but "):
        text, context = f"{context}, {text}", ""
    if "'\\t'" in text:
        text += " (YAML indents with spaces, never with tabs)"
    elif context and error.context_mark:
        text += f" {context} that begins in line {error.context_mark.line + 1}"
    for jargon, words in PARSER_WORDS.items():
        text = text.replace(jargon, words)
    return Problem(mark.line + 1 if mark else 0, (), f"broken YAML: {text}", mark.column + 1 if mark else 0)


def _unreadable(error: yaml.reader.ReaderError, text: str) -> Problem:
    before = text[: error.position]
    code = error.character if isinstance(error.character, int) else ord(error.character[:1] or "\0")
    return Problem(
        before.count("\n") + 1,
        (),
        f"not a text file: it holds the character U+{code:04X}, which YAML does not allow",
        len(before) - before.rfind("\n"),
    )
