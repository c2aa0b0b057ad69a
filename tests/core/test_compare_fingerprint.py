from __future__ import annotations

import pytest

from sparktui.compare.fingerprint import Fingerprint, differences, engine_differences
from sparktui.errors import StoreError
from sparktui.profile.model import Profile

PROFILE = Profile.model_validate(
    {
        "name": "race",
        "nodes": {"gf1": {"host": "simulated"}},
        "model": {"id": "m"},
        "serving": {"launcher": "simulated"},
        "topologies": {"solo": {"kind": "solo", "nodes": ("gf1",)}},
    }
)


def test_a_profile_is_like_itself_through_the_store() -> None:
    fingerprint = Fingerprint.of(PROFILE)
    again = Fingerprint.from_json(fingerprint.to_json())
    assert again == fingerprint
    assert differences({"a": fingerprint, "b": again}) == ()
    assert fingerprint.simulated is True


def test_what_differs_is_named_with_both_values() -> None:
    assert differences({"x": Fingerprint(model="a", pp=1024), "y": Fingerprint(model="b", pp=512)}) == (
        "model: a (x) against b (y)",
        "pp: 1024 (x) against 512 (y)",
    )


def test_runs_that_agree_are_named_together() -> None:
    prints = {"x": Fingerprint(model="a"), "y": Fingerprint(model="b"), "z": Fingerprint(model="a"), "u": Fingerprint()}
    assert differences(prints) == ("model: a (x, z) against b (y)",)


def test_a_campaign_that_is_one_as_a_whole_is_named_once() -> None:
    runs = {"1/solo": "a", "1/tp2": "a", "2/solo": "b", "2/tp2": "b", "shuffle": "b"}
    prints = {run: Fingerprint(model=model) for run, model in runs.items()}
    assert differences(prints) == ("model: a (all of 1) against b (all of 2, shuffle)",)
    mixed = prints | {"2/tp2": Fingerprint(model="a")}
    assert differences(mixed) == ("model: a (all of 1, 2/tp2) against b (2/solo, shuffle)",)


def test_sampling_that_differs_is_not_comparable() -> None:
    assert differences({"x": Fingerprint(sampling={"temperature": 0}), "y": Fingerprint(sampling={"temperature": 1})})


def test_what_is_unknown_is_neither_like_nor_unlike() -> None:
    assert differences({"x": Fingerprint(), "y": Fingerprint(model="b", token_source="usage", simulated=False)}) == ()


def test_engines_may_differ_and_are_told_apart() -> None:
    a, b = Fingerprint(engine={"version": "0.19.1"}), Fingerprint(engine={"version": "0.20", "flags": "--x"})
    assert differences({"x": a, "y": b}) == ()
    assert engine_differences({"x": a, "y": b}) == (
        "flags: - (x) against --x (y)",
        "version: 0.19.1 (x) against 0.20 (y)",
    )


def test_a_damaged_fingerprint_is_a_store_error() -> None:
    with pytest.raises(StoreError):
        Fingerprint.from_json("{")
