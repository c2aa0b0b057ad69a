"""NVML, one call at a time: each is named before it is made, so that one that does not come back can be told.

On GB10 some calls answer "not supported" while the others work; on a sick driver a call may take minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

CALL_DEADLINE_S = 2.0
INIT_DEADLINE_S = 15.0
"""A driver that no process uses wakes its GPUs up first."""
RETRY_S = 30.0
"""How long to leave a driver alone that is not there, or has lost a GPU."""

NOT_SUPPORTED, LIBRARY_NOT_FOUND = 3, 12
GONE = (1, 9, 15, 28)
"""NVML_ERROR_ UNINITIALIZED, DRIVER_NOT_LOADED, GPU_IS_LOST, GPU_NOT_FOUND."""


class Nvml:
    """The driver's library, opened at the first question and again some time after it was lost."""

    def __init__(self, load: Callable[[], Any] | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._load = load or _pynvml
        self._now = now
        self._library: Any = None
        self._retry = float("-inf")
        self._calling: tuple[str, float] | None = None
        self.refusal: int | None = None
        """Why the last call gave None, as NVML counts its errors; None where it gave an answer."""
        self.handles: list[Any] = []
        self.most = 0
        """How many GPUs there have been at the most."""

    def hung(self) -> str | None:
        """Return the name of the call that is out for longer than its deadline. To be asked from another thread."""
        calling = self._calling
        if calling is None:
            return None
        name, since = calling
        deadline = INIT_DEADLINE_S if name in ("nvmlInit", "nvmlShutdown") else CALL_DEADLINE_S
        return name if self._now() - since > deadline else None

    def open(self) -> bool:
        """Return whether there are GPUs to ask, and look for them at most every `RETRY_S`."""
        if self.handles or self._now() < self._retry:
            return bool(self.handles)
        self._retry = self._now() + RETRY_S
        try:
            self._library = self._library or self._load()
        except Exception:  # noqa: BLE001 - no library, or one that cannot be loaded: there is no NVML here
            return False
        self.ask("nvmlInit")
        if self.refusal == LIBRARY_NOT_FOUND:
            self._retry = float("inf")
        if self.refusal is None:
            count = self.ask("nvmlDeviceGetCount") or 0
            found = [self.ask("nvmlDeviceGetHandleByIndex", index) for index in range(count)]
            self.handles = [handle for handle in found if handle is not None]
            self.most = max(self.most, count)
        return bool(self.handles)

    def renew(self) -> None:
        """Look for the GPUs anew after a while: one that was lost may have been brought back."""
        if self._now() >= self._retry:
            self.ask("nvmlShutdown")
            self.handles = []

    def ask(self, call: str, *arguments: Any) -> Any:
        """Return the answer to one call, or None with the reason in `refusal`."""
        self._calling = (call, self._now())
        self.refusal = None
        try:
            return getattr(self._library, call)(*arguments)
        except Exception as error:  # noqa: BLE001 - a reading may be missing, whatever the library says about it
            self.refusal = getattr(error, "value", 0)
            return None
        finally:
            self._calling = None


def _pynvml() -> Any:
    import pynvml

    return pynvml
