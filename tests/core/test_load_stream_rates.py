from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sparktui.load.messages import SLOT_DECODING, SLOT_DONE
from sparktui.load.stream_rates import StreamRates


def test_each_stream_has_a_rate_of_its_own_over_the_last_seconds_and_none_before_it_has_decoded_for_a_while() -> None:
    rates = StreamRates()
    slow, fast, new = (decoding() for _ in range(3))
    assert rates.of([slow], 0.0) == []
    taken = []
    for tick in range(1, 13):
        slow.reader.completion.tokens += 2
        fast.reader.completion.tokens += 5
        taken.append(rates.of([slow, fast, *([new] if tick == 12 else [])], tick * 0.25))
    assert taken[0] == []
    assert taken[1] == [pytest.approx(8.0)]
    assert taken[-1] == [pytest.approx(8.0), pytest.approx(20.0)]


def test_a_stream_that_stalls_falls_to_zero_and_one_that_is_over_has_no_rate() -> None:
    rates = StreamRates()
    stalled, over = decoding(), decoding()
    for tick in range(20):
        found = rates.of([stalled, over], tick * 0.25)
    assert found == [0.0, 0.0]
    over.state = SLOT_DONE
    assert rates.of([stalled, over], 5.0) == [0.0]


def decoding() -> Any:
    """Return what a slot looks like that has begun to decode."""
    completion = SimpleNamespace(tokens=1)
    return HashableSlot(state=SLOT_DECODING, reader=SimpleNamespace(completion=completion))


class HashableSlot(SimpleNamespace):
    """Known by its identity, as slots are."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__
