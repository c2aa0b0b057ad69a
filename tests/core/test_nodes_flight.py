"""A node's flight file: bounded, and whole up to the last line that was written."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes import flight
from sparktui.nodes.flight import BEFORE, CURRENT, PIECE, Flight, Ring, entries, line, pieces

SAMPLES = [{"sample": {"t": float(t), "node": "gf1", "heartbeat": t}} for t in range(60)]


def times(found: list[dict[str, Any]]) -> list[float]:
    return [body["t"] for entry in found for body in entry.values()]


def written(folder: Path, count: int, half_bytes: int = 1_000_000) -> Ring:
    ring = Ring(folder, half_bytes)
    for entry in SAMPLES[:count]:
        ring.append(line(entry))
    return ring


@given(cut=st.integers(min_value=0, max_value=400))
def test_a_file_torn_anywhere_gives_every_whole_line(cut: int) -> None:
    raw = b"".join(line(entry) for entry in SAMPLES[:8])
    torn = raw[: max(0, len(raw) - cut)]
    assert entries(torn) == SAMPLES[: torn.count(b"}}")]


@given(st.binary())
def test_no_bytes_on_the_disk_break_the_reading(raw: bytes) -> None:
    assert all(len(entry) == 1 for entry in entries(raw))


def test_an_agent_started_again_goes_on_behind_a_torn_line(tmp_path: Path) -> None:
    written(tmp_path, 2)
    with (tmp_path / CURRENT).open("ab") as file:
        file.write(b'{"sample":{"t":7')
    again = Ring(tmp_path)
    again.append(line(SAMPLES[9]))
    assert times(list(again.entries())) == [0, 1, 9]


def test_a_line_that_the_disk_took_half_of_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = written(tmp_path, 1)
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda fd, data: real(fd, data[:9]))
        with pytest.raises(OSError, match="No space left"):
            ring.append(line(SAMPLES[1]))
    ring.append(line(SAMPLES[2]))
    ring.append(line(SAMPLES[3]))
    assert times(list(ring.entries())) == [0, 2, 3]


@pytest.mark.parametrize("t", ["1" + "0" * 400, "1e300", "-1", "NaN", '"now"', "[" * 100_000])
def test_a_moment_that_is_none_is_no_entry(tmp_path: Path, t: str) -> None:
    ring = written(tmp_path, 1)
    ring.append(b'{"sample":{"t":' + t.encode() + b"}}\n")
    assert times(list(ring.entries())) == [0]


def test_the_ring_is_bounded_and_keeps_the_newest_in_order(tmp_path: Path) -> None:
    half = 10 * len(line(SAMPLES[10]))
    ring = written(tmp_path, 60, half)
    kept = times(list(ring.entries()))
    assert kept == sorted(kept)
    assert kept[-1] == 59
    assert 10 < len(kept) <= 21
    assert all((tmp_path / name).stat().st_size <= half for name in (CURRENT, BEFORE))
    assert (tmp_path / CURRENT).stat().st_mode & 0o777 == 0o600


def test_what_comes_after_a_sample_is_told_by_its_place_not_by_a_clock_that_was_set_back(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    recorder = Flight(tmp_path, said.append)
    for beat, t in enumerate((5000.0, 5001.0, 100.0, 101.0)):
        recorder.write({"sample": {"t": t, "node": "gf1", "heartbeat": beat}})
        recorder.write({"acted": {"t": t + 0.1}})
    recorder.replay(1, said.append)
    recorder.close(20)
    (piece,) = (entry["replayed"] for entry in said)
    assert [sample["heartbeat"] for sample in piece["samples"]] == [2, 3]
    assert [acted["t"] for acted in piece["acted"]] == [5001.1, 100.1, 101.1]


def test_an_agent_counts_on_where_the_one_before_it_has_ended(tmp_path: Path) -> None:
    assert Ring(tmp_path).last_heartbeat() == -1
    ring = written(tmp_path, 12, 10 * len(line(SAMPLES[10])))
    assert (tmp_path / BEFORE).exists()
    assert ring.last_heartbeat() == 11
    (tmp_path / CURRENT).unlink()
    assert 0 < Ring(tmp_path).last_heartbeat() < 11
    (tmp_path / BEFORE).write_bytes(b"\0" * 100)
    assert Ring(tmp_path).last_heartbeat() == -1


def test_a_replay_has_everything_after_a_time_in_pieces_the_last_of_which_says_so(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    done = threading.Event()

    def hear(entry: dict[str, Any]) -> None:
        said.append(entry["replayed"])
        if not entry["replayed"]["more"]:
            done.set()

    recorder = Flight(tmp_path, said.append)
    for entry in SAMPLES:
        recorder.write(entry)
    recorder.write({"guard": {"t": 60.0, "level": "warn"}})
    recorder.write({"note": {"t": 61.0, "what": "solo c4"}})
    recorder.replay(4, hear)
    assert done.wait(20)
    recorder.close()
    assert [len(piece["samples"]) for piece in said] == [PIECE, 55 - PIECE]
    assert [sample["t"] for piece in said for sample in piece["samples"]] == list(range(5, 60))
    assert said[-1]["guard"] == [{"t": 60.0, "level": "warn"}]
    assert said[-1]["notes"] == [{"t": 61.0, "what": "solo c4"}]
    assert [piece["more"] for piece in said] == [True, False]


def test_a_replay_of_nothing_says_so() -> None:
    assert [piece["more"] for piece in pieces([])] == [False]


def test_a_disk_that_cannot_be_written_is_told_once_and_holds_nothing_up(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    recorder = Flight(tmp_path / "nowhere", said.append)
    for entry in SAMPLES:
        recorder.write(entry)
    recorder.close()
    assert [entry["trouble"]["kind"] for entry in said] == ["flight-file"]
    assert "No such file" in said[0]["trouble"]["text"]


def test_a_disk_that_hangs_makes_no_sample_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, Any]] = []
    hangs, released = threading.Event(), threading.Event()

    def fsync(fd: int) -> None:
        hangs.set()
        released.wait(30)

    monkeypatch.setattr(os, "fsync", fsync)
    recorder = Flight(tmp_path, said.append)
    recorder.write(SAMPLES[0])
    assert hangs.wait(20)
    for _ in range(flight.WAITING_AT_MOST + 1):
        recorder.write(SAMPLES[1])
    released.set()
    recorder.close(wait_s=20)
    assert [entry["trouble"]["text"] for entry in said] == [
        "the disk is too slow for the flight file: samples are missing in it"
    ]
