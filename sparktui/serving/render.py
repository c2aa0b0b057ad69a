"""A plan as text: what `--dry-run` prints, which a shell on each node would take as it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from sparktui.serving.leftovers import MARK_ENV
from sparktui.serving.plan import Plan, Step


def render(plan: Plan, verdicts: Iterable[str] = ()) -> str:
    """Return the commands of a plan in order, each with how it is undone; undoing goes from last to first.

    Args:
        plan: What would be run.
        verdicts: What is said of its nodes, a sentence each.
    """
    lines = [f"# {plan.topology}: requests for {_quoted(plan.model)} go to {_quoted(plan.url)}"]
    if not plan.steps:
        lines.append("# nothing to start: that server is up already, and stays up")
    else:
        lines.append(f"# every command also gets {MARK_ENV}=..., by which the stop finds what it left running")
    lines += [f"# {verdict}" for verdict in verdicts]
    for step in plan.steps:
        lines += ["", f"# {step.title}", *_files(step), f"{step.node} $ {command_line(step)}"]
        lines.append(f"#   undo: {_undo(step)}")
    return "\n".join(lines) + "\n"


def command_line(step: Step) -> str:
    """Return a step as a line of shell: folder, environment, command; every word quoted."""
    folder = f"cd {_folder(step.cwd)} && " if step.cwd else ""
    secrets = [f'{name}="${name}"' for name in step.secret_env]
    env = [f"{name}={_quoted(value)}" for name, value in step.env.items()]
    return folder + " ".join([*secrets, *env, *(_quoted(word) for word in step.argv)])


def _undo(step: Step) -> str:
    if step.undo:
        return f"{step.node} $ {' '.join(_quoted(word) for word in step.undo)}"
    return "its process group is ended" if step.background else "processes that it left are ended"


def _files(step: Step) -> list[str]:
    lines = []
    for path, text in step.files.items():
        lines.append(f"# with the file {_quoted(path)} on {step.node}:")
        lines += [f"#   {_printable(line)}" for line in text.splitlines()]
    return lines


def _folder(path: str) -> str:
    """Return a folder quoted, but for a leading `~`, which the node's shell is to fill in."""
    if path == "~" or not path.startswith("~/"):
        return path if path == "~" else _quoted(path)
    return "~/" + (_quoted(path[2:]) if path[2:] else "")


def _quoted(word: str) -> str:
    """Return a word as a shell takes it back; what a terminal would act on is spelled out."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{_printable(word.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39)))}'"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in text)
