from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.health_episodes import QUIET_S, Episodes
from sparktui.nodes.health_finding import Finding

HOT = Finding("hot", "gf1", "gf1 is hot", "hot")
SLOW = Finding("slow-link", "gf2", "slow", "slow")


def told(moments: Sequence[tuple[float, Sequence[Finding]]]) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
    """Return when each finding was told to begin and to be over."""
    episodes = Episodes()
    begun: list[tuple[float, str]] = []
    over: list[tuple[float, str]] = []
    for now, findings in moments:
        episodes, news = episodes.observe(now, findings)
        begun += [(now, episode.finding.kind) for episode in news.begun]
        over += [(now, episode.finding.kind) for episode in news.over]
    return begun, over


def test_a_finding_is_told_once_and_cleared_once_after_it_was_gone_for_a_while() -> None:
    moments = [(t, [HOT] if t < 60 else []) for t in range(100)]
    assert told(moments) == ([(0, "hot")], [(59 + QUIET_S, "hot")])


def test_what_comes_and_goes_is_one_episode() -> None:
    moments = [(t, [HOT] if t % 6 == 0 else []) for t in range(90)]
    begun, over = told(moments)
    assert begun == [(0, "hot")]
    assert over == []


def test_the_same_thing_again_later_is_told_again() -> None:
    moments = [(t, [HOT] if t < 5 or t >= 40 else []) for t in range(60)]
    assert told(moments)[0] == [(0, "hot"), (40, "hot")]


def test_each_node_and_kind_has_its_own_episode() -> None:
    elsewhere = Finding("hot", "gf2", "gf2 is hot", "hot")
    assert len(told([(0, [HOT, elsewhere, SLOW])])[0]) == 3


@given(st.lists(st.booleans(), max_size=80))
def test_whatever_comes_and_goes_begins_at_most_once_more_than_it_ends(there: list[bool]) -> None:
    begun, over = told([(float(t), [HOT] if now else []) for t, now in enumerate(there)])
    assert 0 <= len(begun) - len(over) <= 1
    assert all(b[0] < o[0] for b, o in zip(begun, over, strict=False))
