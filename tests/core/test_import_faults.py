from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparktui.compare.summary import summarise
from sparktui.compare.tables import render
from sparktui.errors import ImportFileError, UsageError
from sparktui.exporting.files import chunks
from sparktui.exporting.names import Format as ExportFormat
from sparktui.importing import text
from sparktui.importing.formats import FORMATS, Format, read
from sparktui.importing.joining import join
from sparktui.importing.save import save
from sparktui.store.reader import Reader
from sparktui.store.rows import MOST_AT_ONCE
from tests.core.imports import FORMAT_OF, raw

OWN_CSV = (
    b"campaign,name,source,sparktui,topology,pp,tg,depth,shape,concurrency,metric,unit,better,per,mean,std,n,calculator,"
    b"token_source,state,waves,taint\r\n1,race,measured,0.1,solo,8,4,0,waves,1,decode_tps,tok/s,higher,wave,9.5,,1,"
    b"usage,usage,done,1,\r\n"
)
OWN_JSON = json.dumps(
    {
        "format": "sparktui.campaign.v1",
        "campaign": {"name": "race", "source": "measured", "state": "done", "created": 1.0, "origin": None},
        "nodes": [{"name": "gf1", "facts": {}}],
        "events": [{"t": 1.0, "level": "info", "source": "runner", "kind": "ready", "text": "up", "data": {}}],
        "sweeps": [
            {
                "topology": "solo",
                "fingerprint": {"model": "m"},
                "state": "done",
                "latency_us": 2.5,
                "cells": [
                    {
                        "concurrency": 1,
                        "pp": 8,
                        "tg": 4,
                        "depth": 0,
                        "shape": "waves",
                        "runs": 1,
                        "state": "done",
                        "figures": {},
                        "waves": [
                            {
                                "seq": 0,
                                "warmup": False,
                                "started_at": 1.0,
                                "duration_us": 9,
                                "clock": "kernel",
                                "requests": [
                                    {"slot": 0, "sent_us": 0, "event_times_us": [5, 9], "event_tokens": [1, 1]}
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }
).encode()
TABLE = b"# pp: 8\nmetric,unit,better,concurrency,solo,tp2,published_winner\ndecode,tok/s,higher,1,10,12,tp2\n"
GOOD: dict[str, bytes] = {name: raw(name) for name in FORMAT_OF} | {
    "own.csv": OWN_CSV,
    "own.json": OWN_JSON,
    "table.csv": TABLE,
}
EXPORTED: tuple[ExportFormat, ...] = ("csv", "csv-wide", "json", "markdown", "html")
JSON_FILES = sorted(name for name in GOOD if name.endswith(".json"))
ODD: tuple[Any, ...] = (None, True, -1, 0, 2**40, 2**70, 1e308, -0.5, "", "x" * 300, "\x00\x1b[2J", [], [[]], {}, "NaN")
quick = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def stored(store: Path) -> int:
    if not store.exists():
        return 0
    with Reader(store) as reader:
        return len(reader.campaigns())


def is_imported_whole_or_refused(store: Path, content: bytes, name: str, form: Format | None = None) -> None:
    """Import; every row must be readable and comparable afterwards, and a refusal must have left none."""
    before = stored(store)
    try:
        campaign = save(store, join([read(content, name, form=form)]))
    except ImportFileError:
        assert stored(store) == before
        return
    with Reader(store) as reader:
        for sweep in reader.sweeps(campaign):
            for cell in reader.cells(sweep.id):
                assert cell.concurrency >= 1
                assert all(row.mean == row.mean for row in reader.known_figures(cell.id))
                reader.waves(cell.id, events=True)
        render(summarise(reader, campaign))
        for kind in EXPORTED:
            with suppress(UsageError):  # a format that cannot hold what was measured says so
                assert b"".join(chunks(reader, campaign, kind)), kind


@pytest.mark.parametrize("name", GOOD)
def test_a_file_cut_off_anywhere_is_refused_or_still_whole(store: Path, name: str) -> None:
    content = GOOD[name]
    for cut in range(0, len(content), max(1, len(content) // 40)):
        is_imported_whole_or_refused(store, content[:cut], name)


@pytest.mark.parametrize("name", [name for name in JSON_FILES if FORMAT_OF.get(name) != "benchy-progress"])
def test_a_cut_off_json_file_says_at_which_byte_it_ends(name: str) -> None:
    content = GOOD[name][: len(GOOD[name]) * 2 // 3]
    with pytest.raises(ImportFileError, match=rf"truncated \(it ends at byte {len(content)}\)"):
        read(content, name)


def test_a_broken_line_of_a_progress_stream_is_named() -> None:
    lines = GOOD["llama-benchy-0.4.0-progress.jsonl"].splitlines()
    lines[41] = lines[41][:30]
    with pytest.raises(ImportFileError, match=r"x\.jsonl, line 42: "):
        read(b"\n".join(lines), "x.jsonl")
    with pytest.raises(ImportFileError, match=r"x\.jsonl, line 658: "):
        read(GOOD["llama-benchy-0.4.0-progress.jsonl"].rstrip()[:-3], "x.jsonl")


def test_nul_bytes_that_a_crash_left_at_the_end_are_named_by_their_line() -> None:
    lines = GOOD["llama-benchy-0.4.0-progress.jsonl"].splitlines()[:400]
    with pytest.raises(ImportFileError, match=r"line 401: "):
        read(b"\n".join(lines) + b"\n" + bytes(64), "x.jsonl")


def test_a_wrong_type_is_named_with_its_key() -> None:
    report = json.loads(GOOD["llama-benchy-0.3.5.json"])
    report["benchmarks"][1]["tg_throughput"]["mean"] = "fast"
    with pytest.raises(ImportFileError) as refused:
        read(json.dumps(report).encode(), "x.json")
    assert "$.benchmarks[1].tg_throughput.mean" in refused.value.message
    report["benchmarks"][1]["tg_throughput"] = report["benchmarks"][0]["tg_throughput"] | {"values": [1.0, 2.0, None]}
    with pytest.raises(ImportFileError) as refused:
        read(json.dumps(report).encode(), "x.json")
    assert "$.benchmarks[1].tg_throughput.values[2]" in refused.value.message


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    content = GOOD["vllm-bench-0.32.json"].replace(
        b'"output_throughput": 1208.354282787457', b'"output_throughput": %b'
    )
    with pytest.raises(ImportFileError, match=r"not the JSON it should be|Number out of range"):
        read(content.replace(b"%b", value.encode()), "x.json")


def test_text_that_is_not_utf8_is_refused_with_line_and_byte() -> None:
    with pytest.raises(ImportFileError, match=r"x\.csv, line 2: byte 40 is not UTF-8"):
        read(TABLE.replace(b"solo", b"s\xfflo"), "x.csv")


def test_the_same_cell_twice_is_refused_and_nothing_is_stored(store: Path) -> None:
    report = json.loads(GOOD["llama-benchy-0.3.5.json"])
    report["benchmarks"] *= 2
    with pytest.raises(ImportFileError, match="c1 pp256 tg64 depth0 waves is there twice"):
        save(store, read(json.dumps(report).encode(), "x.json"))
    assert stored(store) == 0


def test_what_the_store_refuses_in_the_last_cell_leaves_nothing_of_the_first(store: Path) -> None:
    export = json.loads(OWN_JSON)
    waves = export["sweeps"][0]["cells"][0]["waves"]
    waves.append(waves[0])
    with pytest.raises(ImportFileError, match="cannot be stored"):
        save(store, read(json.dumps(export).encode(), "x.json"))
    assert stored(store) == 0


@pytest.mark.parametrize("content", [b"", b"   \n\n", b"\xef\xbb\xbf", b"# only: a remark\n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(ImportFileError, match=r"empty|not a format"):
        read(content, "x")


def test_a_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(text, "MAX_BYTES", 2 * 1024**2)
    big = tmp_path / "big.json"
    big.write_bytes(b" " * (2 * 1024**2 + 1))
    with pytest.raises(ImportFileError, match="larger than 2 MB"):
        text.read_bytes(big)
    with pytest.raises(ImportFileError, match="larger than 2 MB"):
        read(big.read_bytes(), "big.json")


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ImportFileError, match="not a regular file"):
            text.read_bytes(path)
    with pytest.raises(ImportFileError, match="no such file"):
        text.read_bytes(tmp_path / "nothing")


def test_deep_nesting_does_not_end_the_process() -> None:
    for form in (None, *FORMATS):
        with pytest.raises(ImportFileError):
            read(b'{"a":' * 100_000, "deep", form=form)


def test_a_topology_named_by_an_escape_sequence_is_shown_harmlessly() -> None:
    imported = read(TABLE.replace(b"solo", b"so\x1b[2Jlo"), "x.csv")
    assert imported.sweeps[0].topology == "so?[2Jlo"


@quick
@given(content=st.binary(max_size=400), form=st.sampled_from([None, *FORMATS]))
def test_any_bytes_are_imported_whole_or_refused(store: Path, content: bytes, form: Format | None) -> None:
    is_imported_whole_or_refused(store, content, "fuzz", form)


@quick
@given(data=st.data())
def test_a_damaged_file_is_imported_whole_or_refused(store: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(GOOD)))
    content = bytearray(GOOD[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    is_imported_whole_or_refused(store, bytes(content), name, data.draw(st.sampled_from([None, *FORMATS])))


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*place, key))


PLACES = {name: list(places(json.loads(GOOD[name]))) for name in JSON_FILES}


@quick
@given(data=st.data())
def test_a_file_with_odd_values_is_imported_whole_or_refused(store: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(JSON_FILES))
    value = json.loads(GOOD[name])
    *above, last = data.draw(st.sampled_from(PLACES[name][1:]))
    holder = value
    for key in above:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[last] = data.draw(st.sampled_from(ODD))
    else:
        del holder[last]
    is_imported_whole_or_refused(store, json.dumps(value).encode(), name, FORMAT_OF.get(name, "sparktui-json"))


@quick
@given(data=st.data())
def test_a_table_with_odd_cells_is_imported_whole_or_refused(store: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["own.csv", "table.csv", "llama-benchy-0.3.5.csv"]))
    rows = [line.split(",") for line in GOOD[name].decode().splitlines()]
    row = data.draw(st.sampled_from(rows))
    odd = st.integers(0, 2**65).map(str) | st.sampled_from(
        ["", "-", "nan", "1e999", "-1", "0", "1e300", '"', "'=1", "c" * 200, "pp1 (c0)", "tg٣ (c4)", "tg1 (c2000000)"]
    )
    row[data.draw(st.integers(0, len(row) - 1))] = data.draw(odd)
    is_imported_whole_or_refused(store, "\n".join(map(",".join, rows)).encode(), name)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("table.csv", b"higher,1,10", b"higher,1000001,10"),
        ("own.csv", b"waves,1,decode", b"waves,1000001,decode"),
    ],
)
def test_more_users_than_can_be_shown_are_refused_and_the_most_are_taken(
    store: Path, name: str, old: bytes, new: bytes
) -> None:
    assert old in GOOD[name]
    with pytest.raises(ImportFileError, match="1000000"):
        save(store, read(GOOD[name].replace(old, new), name))
    assert stored(store) == 0
    is_imported_whole_or_refused(store, GOOD[name].replace(old, new.replace(b"1000001", b"1000000")), name)
    assert stored(store) == 1


def test_what_readers_refuse_is_not_stored_whatever_let_it_through(store: Path) -> None:
    imported = read(TABLE, "x.csv")
    (cell,) = imported.sweeps[1].cells
    far = replace(imported.sweeps[1], cells=(replace(cell, concurrency=MOST_AT_ONCE + 1),))
    with pytest.raises(ImportFileError, match=r"could not be read again: .*1000000"):
        save(store, replace(imported, sweeps=(imported.sweeps[0], far)))
    assert stored(store) == 0


@pytest.mark.parametrize("field", ["mean", "std", "values"])
def test_a_figure_that_no_engine_reaches_is_refused_by_name(store: Path, field: str) -> None:
    report = json.loads(GOOD["llama-benchy-0.4.0.json"])
    report["benchmarks"][0]["tg_throughput"][field] = [1e300, 1.0] if field == "values" else 1e300
    with pytest.raises(ImportFileError, match=r"c1 .*: decode_tps is over 1e\+15"):
        save(store, read(json.dumps(report).encode(), "x.json"))
    assert stored(store) == 0
