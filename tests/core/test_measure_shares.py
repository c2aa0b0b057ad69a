from __future__ import annotations

import random

import pytest

from sparktui.measure.shares import BY_CHANCE, idle_backends, shares_text


def test_a_backend_that_was_left_out_of_many_requests_is_named() -> None:
    assert idle_backends({"gf1": 12}, ("gf1", "gf2")) == ("gf2",)
    assert idle_backends({"gf1": 20, "gf2": 22}, ("gf1", "gf2", "gf3")) == ("gf3",)


@pytest.mark.parametrize("served", [{}, {"gf1": 4}, {"gf1": 10}, {"gf1": 1, "gf2": 60}])
def test_what_chance_may_do_is_not_held_against_a_router(served: dict[str, int]) -> None:
    assert idle_backends(served, ("gf1", "gf2")) == ()


def test_a_random_router_is_hardly_ever_blamed() -> None:
    rng = random.Random(1)
    blamed = 0
    for _ in range(4000):
        picks = rng.choices(("gf1", "gf2"), k=11)
        blamed += bool(idle_backends({name: picks.count(name) for name in set(picks)}, ("gf1", "gf2")))
    assert blamed <= 4000 * BY_CHANCE * 4


def test_shares_name_every_backend() -> None:
    assert shares_text({"gf1": 45}, ("gf1", "gf2")) == "gf1 45, gf2 0"
    assert shares_text({"x": 1}, ("gf1",)) == "gf1 0, x 1"
