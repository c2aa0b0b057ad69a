from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sparktui.cli import cli
from sparktui.errors import UsageError
from sparktui.paths import store_path
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import store_campaign

RATES = {"solo": {1: (40.0, 41.0)}, "cluster": {1: (58.0, 59.0)}}


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    return asyncio.run(store_campaign(store_path(), RATES))


def shown(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert cli.main(["show", *options], standalone_mode=False) is None
    return capsys.readouterr().out


@pytest.mark.usefixtures("stored")
def test_an_old_campaign_is_shown_by_any_calculator_and_every_title_names_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(capsys).count(", usage by token_ids;") == 3
    text = shown(capsys, "--calculator", "benchy-0.3.5")
    assert text.count(", benchy-0.3.5 by ") == 3
    assert "[58.16" in text  # a little less than by `usage`: to the end of the body instead of the last token
    assert "the server's latency is not known" in text


@pytest.mark.usefixtures("stored")
def test_an_unknown_calculator_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as raised:
        cli.main(["show", "--calculator", "benchy"], standalone_mode=False)
    assert "benchy-0.4.0" in raised.value.hint


def test_a_stored_latency_is_what_the_benchy_calculators_take_off(
    stored: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async def note() -> None:
        async with await Writer.open(store_path()) as writer:
            with Reader(store_path()) as reader:
                for sweep in reader.sweeps(stored):
                    await writer.set_sweep_latency(sweep.id, "api", 50_000.0)

    asyncio.run(note())
    with Reader(store_path()) as reader:
        assert [(s.latency_mode, s.latency_us) for s in reader.sweeps(stored)] == [("api", 50_000.0)] * 2
    text = shown(capsys, "--calculator", "benchy-0.3.5")
    assert "2 000" in text  # 100 tokens in 100 ms, less 50 ms
    assert "latency" not in text
