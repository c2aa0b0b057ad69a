"""`sparktui compact` as it is typed: it asks, it refuses while a campaign runs, and `show` says the same afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.errors import UsageError
from sparktui.runner.compact import compact, compactable
from sparktui.store.reader import Reader
from tests.core.measured import store_campaign
from tests.runner.campaigns import PROFILE, UNTIL_STOPPED, Owner

SHOWN = (
    ("show", "1"), ("show", "1", "--json"), ("show", "1", "--json", "--calculator", "benchy-0.4.0"),
    ("export", "1", "--format", "json"), ("export", "1", "--format", "csv"), ("compare", "1", "--json"),
)  # fmt: skip


def said(owner: Owner) -> list[str]:
    return [owner.type(*words).stdout for words in SHOWN]


def test_a_real_campaign_says_the_same_before_and_after(owner: Owner) -> None:
    load = "pp: 64, tg: 60, concurrency: [1, 4], runs: 3"
    profile = owner.profile(PROFILE.replace("pp: 64, tg: 8, concurrency: [1, 2], runs: 2", load))
    assert owner.type("run", profile, "--only", "cluster-tp2", "--plain").returncode == 0
    before = said(owner)
    asked = owner.type("compact", "1")
    assert asked.returncode == 2
    assert "nothing was compacted: nobody answered" in asked.stderr
    done = owner.type("compact", "--yes")
    assert done.returncode == 0, done.stderr
    assert "compacted 1 campaign: the store is 0." in done.stderr
    assert said(owner) == before
    assert owner.rows("SELECT count(*) FROM live") == [(2,)]
    assert owner.type("attach", "--plain").returncode == 0
    assert owner.type("compact", "--older-than", "1h", "--yes").stderr == "nothing to compact\n"


def test_nothing_is_compacted_while_a_campaign_runs(owner: Owner) -> None:
    owner.type("run", owner.profile(UNTIL_STOPPED), "--only", "solo", "--detach")
    refused = owner.type("compact", "--yes")
    assert refused.returncode == 2
    assert "campaign 1 is running: nothing is compacted meanwhile" in refused.stderr
    assert owner.type("stop").returncode == 0


async def test_a_campaign_that_began_while_it_was_asked_is_not_locked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    tmp_path.chmod(0o700)
    await store_campaign(tmp_path / "sparktui.db", {"solo": {1: (10.0, 11.0)}})
    with Reader(tmp_path / "sparktui.db") as reader:
        asked = compactable(reader, None, None)
    monkeypatch.setattr("sparktui.runner.compact.running_campaign", lambda: 2)
    with pytest.raises(UsageError, match="campaign 2 is running"):
        compact(asked)
    monkeypatch.setattr("sparktui.runner.compact.free_space", lambda _: pytest.fail("the store was locked"))
    assert compact(()) == 0


def test_a_time_that_is_none_is_answered_with_one_that_fits(owner: Owner) -> None:
    done = owner.type("compact", "--older-than", "foo")
    assert done.returncode == 2
    assert "'foo' is not a duration; try 30d or 12h." in done.stderr
