"""The small files beside the store, whatever is in them: read as far as they say anything, and nothing else."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.runner.last_words import last_words
from sparktui.runner.lock import lock_path, running_campaign
from sparktui.runner.notes import LAUNCHED, Note, Notes, noted_campaigns
from sparktui.ui.settings import NAME, Settings, read_settings
from tests.faults import tried

NOTE = b'{"mark":"m","number":1,"node":"gf1","title":"engine","undo":["true"]}\n'
ODD = st.one_of(st.none(), st.integers(), st.text(max_size=8), st.lists(st.text(max_size=3), max_size=2))
FIELDS = st.sampled_from(Note.__struct_fields__)
LINES = st.one_of(
    st.binary(max_size=60),
    st.dictionaries(FIELDS, ODD, max_size=6).map(lambda fields: json.dumps(fields).encode()),
    st.just(NOTE[:-1]),
    st.just(b'{"mark":"m","number":1,"gone":true}'),
    st.just(b'{"a":' + b"[" * 9_999),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "run" / "1").mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(home))


@given(st.lists(LINES, max_size=6))
def test_notes_say_what_was_launched_whatever_lines_are_among_them(home: Path, lines: list[bytes]) -> None:
    file = home / "run" / "1" / LAUNCHED
    file.write_bytes(b"\n".join([*lines, NOTE]))
    file.chmod(0o600)
    with tried.bad_input():
        left = Notes.of(1, home).left()
        assert ("m", 1) in {(note.mark, note.number) for note in left}
        assert all(isinstance(word, str) for note in left for word in note.undo)
        assert noted_campaigns() == [1]


@pytest.mark.parametrize("length", range(1, len(NOTE) - 1, 3))
def test_a_note_that_a_power_cut_has_torn_hides_none_behind_it(home: Path, length: int) -> None:
    notes = Notes.of(1, home)
    notes.path.write_bytes(NOTE[:length])
    notes.path.chmod(0o600)
    with tried.bad_input():
        notes.add(Note("later", 2, node="gf1"))
        assert [note.mark for note in notes.left()] == ["later"]


@given(st.one_of(st.binary(max_size=80), st.just(b'{"a":' + b"[" * 9_999), st.just(b'{"theme":7}')))
def test_settings_that_are_none_are_the_defaults(home: Path, content: bytes) -> None:
    (home / NAME).write_bytes(content)
    with tried.bad_input():
        assert isinstance(read_settings(home), Settings)


@given(st.one_of(st.binary(max_size=80), st.just("² ²".encode()), st.just(b"1 " + b"9" * 70)))
def test_a_lock_that_names_nobody_is_nobodys(home: Path, content: bytes) -> None:
    lock_path().write_bytes(content)
    lock_path().chmod(0o600)
    with lock_path().open() as file, tried.bad_input():
        fcntl.flock(file, fcntl.LOCK_EX)
        found = running_campaign()
        assert found is None or isinstance(found, int)


@given(st.binary(max_size=200))
def test_last_words_are_text(home: Path, content: bytes) -> None:
    folder = home / "run" / "1"
    (folder / "started").touch()
    (folder / "runner.log").write_bytes(content)
    with tried.bad_input():
        assert isinstance(last_words(1), str)
