"""How the nodes were comes out again wherever a cell's figures do."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sparktui.compare.document import to_json
from sparktui.compare.summary import summarise
from sparktui.errors import StoreError
from sparktui.exporting.files import chunks
from sparktui.nodes.stamp import stamps_json
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import store_campaign
from tests.core.node_samples import samples

STAMPS = stamps_json({"gf1": samples(5.0, throttle="sw power cap"), "gf2": []})


async def stamped(path: Path, health: str = STAMPS) -> int:
    """Store a campaign of two cells, the first of which has stamps."""
    campaign = await store_campaign(path, {"solo": {1: (10.0, 11.0), 8: (80.0,)}})
    with Reader(path) as reader:
        cell = reader.cells(reader.sweeps(campaign)[0].id)[0].id
    async with await Writer.open(path) as writer:
        await writer.set_cell_health(cell, health)
    return campaign


async def test_the_comparison_carries_the_stamps_of_the_cells_that_have_some(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stamped(path)
    with Reader(path) as reader:
        document: dict[str, Any] = to_json(summarise(reader, campaign))
    jsonschema.validate(document, json.loads((files("sparktui.compare") / "schema.json").read_text()))
    (health,) = document["health"]
    assert (health["topology"], health["concurrency"], health["pp"]) == ("solo", 1, 100)
    assert health["nodes"] == json.loads(STAMPS)


async def test_the_export_carries_them_too(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stamped(path)
    with Reader(path) as reader:
        exported = json.loads(b"".join(chunks(reader, campaign, "json")))
    jsonschema.validate(exported, json.loads((files("sparktui.exporting") / "campaign.schema.json").read_text()))
    assert [cell["health"] for cell in exported["sweeps"][0]["cells"]] == [json.loads(STAMPS), None]


async def test_a_damaged_stamp_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await stamped(path, "{")
    with Reader(path) as reader, pytest.raises(StoreError, match="damaged"):
        b"".join(chunks(reader, campaign, "json"))
