"""Deleting campaigns through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.errors import UsageError
from sparktui.runner.delete import delete
from sparktui.store.reader import Reader
from tests.core.measured import store_campaign
from tests.runner.campaigns import PROFILE, Owner
from tests.runner.test_resume import change, count

RATES = {"solo": {1: (10.0, 11.0), 2: (12.0, 13.0)}}
TABLES = ("campaign", "node", "sweep", "cell", "wave", "request", "event", "launched", "control", "node_sample")


@pytest.fixture
def store(owner: Owner) -> Path:
    folder = owner.home / "data"
    folder.mkdir()
    return folder / "sparktui.db"


async def two_campaigns(owner: Owner, store: Path) -> list[list[object]]:
    """Store two and return what there is of the second."""
    for _ in range(2):
        number = await store_campaign(store, RATES)
        (owner.home / "data" / "run" / str(number)).mkdir(parents=True)
    return second(store)


def second(store: Path) -> list[list[object]]:
    with Reader(store) as reader:
        sweeps = reader.sweeps(2)
        cells = [cell for sweep in sweeps for cell in reader.cells(sweep.id)]
        return [[reader.campaign(2)], [*sweeps], [*cells], [reader.waves(cell.id, events=True) for cell in cells]]


async def test_a_deleted_campaign_is_gone_with_its_folder_and_the_other_is_untouched(owner: Owner, store: Path) -> None:
    kept = await two_campaigns(owner, store)
    done = owner.type("delete", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert "campaign 1, race: 6 waves, 6 requests" in done.stderr
    assert second(store) == kept
    assert owner.rows("SELECT id FROM campaign") == [(2,)]
    for table in ("node", "sweep"):
        assert count(owner, f"SELECT count(*) FROM {table}") == 1
    assert count(owner, "SELECT count(*) FROM request") == 6
    assert sorted(path.name for path in (owner.home / "data" / "run").iterdir()) == ["2"]


async def test_a_number_is_given_once(owner: Owner, store: Path) -> None:
    await two_campaigns(owner, store)
    assert owner.type("delete", "2", "--yes").returncode == 0
    assert await store_campaign(store, RATES) == 3
    assert owner.type("delete", "1", "3", "--yes").returncode == 0
    assert await store_campaign(store, RATES) == 4


async def test_a_campaign_that_began_while_it_was_asked_keeps_all(
    owner: Owner, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_campaigns(owner, store)
    monkeypatch.setenv("SPARKTUI_HOME", str(store.parent))
    monkeypatch.setattr("sparktui.runner.delete.running_campaign", lambda: 2)
    with pytest.raises(UsageError, match="campaign 2 is running: nothing is deleted meanwhile"):
        delete([1])
    assert count(owner, "SELECT count(*) FROM campaign") == 2


async def test_of_several_all_are_deleted_or_none(owner: Owner, store: Path) -> None:
    await two_campaigns(owner, store)
    assert owner.type("delete", "1", "7", "--yes").returncode == 2
    assert count(owner, "SELECT count(*) FROM campaign") == 2
    assert owner.type("delete", "1", "2", "last", "--yes").returncode == 0
    assert [count(owner, f"SELECT count(*) FROM {table}") for table in TABLES] == [0] * len(TABLES)


async def test_nothing_is_deleted_where_nobody_says_yes(owner: Owner, store: Path) -> None:
    await two_campaigns(owner, store)
    done = owner.type("delete", "1")
    assert done.returncode == 2
    assert "nobody answered" in done.stderr
    assert count(owner, "SELECT count(*) FROM campaign") == 2


async def test_what_may_have_left_something_running_is_deleted_only_by_force(owner: Owner, store: Path) -> None:
    await two_campaigns(owner, store)
    change(
        owner, "INSERT INTO launched (campaign, sweep, t, node, title, undo) VALUES (1, 1, 0, 'gf2', 'engine', '[]')"
    )
    refused = owner.type("delete", "1", "--yes")
    assert refused.returncode == 2
    assert "campaign 1 may have left engine running on gf2" in refused.stderr
    assert owner.type("delete", "1", "--yes", "--force").returncode == 0
    assert count(owner, "SELECT count(*) FROM launched") == 0


def test_while_a_campaign_is_running_nothing_is_deleted(owner: Owner) -> None:
    owner.type("run", owner.profile(PROFILE.replace("tg: 8", "tg: 100")), "--only", "solo", "--detach")
    refused = owner.type("delete", "last", "--yes")
    assert refused.returncode == 2
    assert "campaign 1 is running" in refused.stderr
    assert owner.type("stop").returncode == 0
    assert owner.type("delete", "last", "--yes").returncode == 0
    assert owner.rows("SELECT count(*) FROM campaign") == [(0,)]


async def test_the_room_of_a_deleted_campaign_is_used_again(owner: Owner, store: Path) -> None:
    many = {"solo": dict.fromkeys(range(1, 6), (10.0,) * 40)}
    await store_campaign(store, many)
    await store_campaign(store, many)
    assert owner.type("delete", "1", "--yes").returncode == 0
    size = store.stat().st_size
    await store_campaign(store, many)
    assert store.stat().st_size < 1.1 * size
