from __future__ import annotations

from sparktui.serving.tails import LONGEST, fair, joined, last_lines


def test_every_log_keeps_its_title_and_its_last_lines() -> None:
    text = joined([("rank 0", "a\nb\nc\n"), ("rank 1", ""), ("rank 2", "x\n\x1b[31my\x1b[0m\n")])
    assert last_lines(text, 2) == "--- rank 0\nb\nc\n--- rank 2\nx\ny"


def test_a_talkative_log_does_not_crowd_out_the_one_that_says_why() -> None:
    text = joined([("rank 1", "no route to host"), ("rank 0", "\n".join(map(str, range(1000))))])
    shown = fair(text, 15).splitlines()
    assert "no route to host" in shown
    assert len(shown) <= 15


def test_what_one_command_said_needs_no_title() -> None:
    assert fair("a\nb\nno such image", 3) == "b\nno such image"


def test_a_line_too_long_for_any_screen_is_cut() -> None:
    assert len(last_lines(joined([("x", "a" * 5000)]), 1).splitlines()[1]) == LONGEST


def test_nothing_is_nothing() -> None:
    assert last_lines("", 3) == fair("", 3) == joined([]) == ""
