"""What each stream of a wave decodes of late: how unlike they are, which their sum does not show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sparktui.load.messages import SLOT_DECODING
from sparktui.load.slot import Slot

PICTURES = 9
"""Two seconds of them."""
LEAST_S = 0.5
"""A rate over less than this is mostly rounding."""


class StreamRates:
    """Remembers the token counts of the last pictures, by stream."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, dict[Slot, int]]] = deque(maxlen=PICTURES)

    def of(self, slots: Iterable[Slot], now: float) -> list[float]:
        """Return tokens per second of every stream that decodes now, over the last two seconds or as long as it does.

        Args:
            slots: What is in flight.
            now: Monotonic seconds.
        """
        counts = {slot: slot.reader.completion.tokens for slot in slots if slot.state == SLOT_DECODING}
        self._counts.append((now, counts))
        rates = (self._rate(slot, count, now) for slot, count in counts.items())
        return [rate for rate in rates if rate is not None]

    def _rate(self, slot: Slot, count: int, now: float) -> float | None:
        start, before = next((t, counts[slot]) for t, counts in self._counts if slot in counts)
        return None if now - start < LEAST_S else (count - before) / (now - start)
