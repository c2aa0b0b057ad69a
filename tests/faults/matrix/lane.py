"""One data folder in which campaigns run, are hit, are stopped or resumed, and must come to their end."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from tests.faults.matrix.plan import Fault, Target
from tests.faults.matrix.site import Site
from tests.faults.matrix.tally import Tally
from tests.faults.matrix.traces import Break, traces
from tests.faults.matrix.viewer import Viewer
from tests.faults.matrix.witness import Witness
from tests.waiting import wait_until

PATIENCE_S = 60.0
HITS_A_CAMPAIGN = 6
"""Then it is left alone until it has ended, and its figures are looked at."""
YOUNG_S = 1.5
"""A process that is not older may still be on its way to what it will be."""
RESUMES_AT_MOST = 8
SETTLE_S = 0.15
TAKEN_DOWN_S = 5.0
"""From a process's end to that of its topology, where the one belongs to the other."""
FLEETING: tuple[Target, ...] = ("ssh-command",)
FLEETING_S = 5.0
"""What is up is looked at every 2 s."""


class Lane:
    """Hits campaigns with its share of the faults, one after the other."""

    def __init__(self, site: Site, tally: Tally) -> None:
        self.site, self.owner, self.tally = site, site.owner, tally
        self.witness = Witness(self.owner.home / "data" / "sparktui.db")
        self._profile = self.owner.profile(site.profile())
        self._viewers: dict[str, Viewer] = {}
        self._ports: set[int] = set()
        self._breaks: list[Break] = []
        self._campaign = self._hits = self._in_vain = self._over = 0
        self._where = ""

    def run(self, faults: Sequence[Fault]) -> None:
        """Hit with every fault in turn, in as many campaigns as that takes."""
        try:
            for number, fault in enumerate(faults):
                self._where = f"{self.owner.home.name} fault {number} ({fault})"
                self._hit(fault)
            self._finish()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other lanes go on, and the test tells it
            self.tally.problem(self._where, f"{type(error).__name__}: {error}")
        finally:
            self.close()

    def close(self) -> None:
        """End whatever is there."""
        self.tally.add(waves=len(self.witness.seen))
        for viewer in self._viewers.values():
            viewer.close()
        self._viewers.clear()
        self.site.clear()

    def _hit(self, fault: Fault) -> None:
        victims = self._victims(fault)
        self._ports |= self.site.listening()
        self.witness.look()
        self._over = self._topologies_over()
        at = time.time()
        for process in victims:
            with suppress(psutil.Error):
                process.send_signal(fault.signal)
        if not fault.lethal:
            time.sleep(fault.hold_s)
            for process in victims:
                with suppress(psutil.Error):
                    process.send_signal(signal.SIGCONT)
        self._breaks.append(Break(fault, at, time.time()))
        self.tally.add(kills=1)
        self._hits += 1
        self._in_vain = 0
        self._after(fault, victims)

    def _after(self, fault: Fault, victims: Sequence[psutil.Process]) -> None:
        time.sleep(SETTLE_S)
        self._check()
        if survives(fault):
            self._expect(self._still_there(fault, victims), f"{fault.target} did not survive {fault.signal.name}")
        elif fault.target != "everything" or fault.signal is signal.SIGKILL:
            self._expect(_gone(victims, PATIENCE_S), f"{fault.target} does not end by {fault.signal.name}")
        if fault.lethal and fault.stop_first:
            self._stop()
        self._check()

    def _still_there(self, fault: Fault, victims: Sequence[psutil.Process]) -> bool:
        """Tell whether a process goes on, unless its topology or campaign has come to its end, and it with that."""
        if fault.target in ("everything", *FLEETING) or all(map(_runs, victims)) or any(map(_young, victims)):
            return True
        if wait_until(lambda: self._topologies_over() > self._over, TAKEN_DOWN_S):
            return True
        return not self.site.of_kind("runner") and (fault.target != "runner" or self.owner.state() != "running")

    def _topologies_over(self) -> int:
        return len(self.owner.rows("SELECT id FROM sweep WHERE state = 'done'"))

    def _victims(self, fault: Fault) -> list[psutil.Process]:
        """Wait for the process to be there, then for as long as the fault says; begin anew where a campaign ends."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self._keep_going():
                deadline = time.monotonic() + PATIENCE_S
            if fault.target in FLEETING or self._there(fault):
                time.sleep(fault.after_s)
                if found := self._caught(fault):
                    return found
            time.sleep(0.02)
        raise AssertionError("its process never came")

    def _caught(self, fault: Fault) -> list[psutil.Process]:
        """Return the process, or wait for one that is there for a moment only."""
        deadline = time.monotonic() + (FLEETING_S if fault.target in FLEETING else 0)
        while not (found := self._there(fault)) and time.monotonic() < deadline:
            pass  # it is gone again within a sleep
        return found

    def _there(self, fault: Fault) -> list[psutil.Process]:
        if fault.target in ("viewer", "screens"):
            viewer = self._viewer(fault.target)
            return [] if viewer.ended else [psutil.Process(viewer.pid)]
        found = self.site.of_kind(fault.target)
        if fault.target == "everything":
            return found
        return [found[fault.pick % len(found)]] if found else []

    def _viewer(self, kind: str) -> Viewer:
        viewer = self._viewers.get(kind)
        if viewer is None or viewer.ended:
            if viewer is not None:
                viewer.close()
            viewer = self._viewers[kind] = Viewer(self.owner, screens=kind == "screens")
            time.sleep(0.4)
        return viewer

    def _keep_going(self) -> bool:
        """Have a campaign running: the one that was broken off, or a new one; tell whether that was not so."""
        if self._hits < HITS_A_CAMPAIGN and self.site.of_kind("runner"):
            return False
        self._in_vain += 1
        assert self._in_vain < RESUMES_AT_MOST, f"campaign {self._campaign} is resumed in vain: {self.owner.state()}"
        if not self._campaign:
            self._begin()
        elif self._hits < HITS_A_CAMPAIGN and self.owner.state() != "done":
            self._resume()
        else:
            self._finish()
            self._begin()
        return True

    def _begin(self) -> None:
        self._campaign += 1
        self._hits = 0
        self._typed("run", self._profile, "--detach")
        self._viewer("viewer")
        self.tally.add(campaigns=1)

    def _resume(self) -> None:
        self._typed("resume", str(self._campaign), "--detach")
        self.tally.add(resumed=1)

    def _stop(self) -> None:
        self._ports |= self.site.listening()
        self._typed("stop", str(self._campaign), timeout_s=240)
        left = self.site.leftovers([viewer.pid for viewer in self._viewers.values()], self._ports)
        self.tally.add(leftovers=len(left))
        self.tally.problem(self._where, *left)

    def _finish(self) -> None:
        """Bring the campaign to its end and look at what it says then."""
        for _ in range(RESUMES_AT_MOST):
            self.owner.until(lambda: not self.site.of_kind("runner"), "the runner's end")
            if self.owner.state() == "done":
                break
            self._resume()
        self._expect(self.owner.state() == "done", f"the campaign does not come to its end: {self.owner.state()}")
        self._stop()
        self._check()
        self.tally.problem(self._where, *traces(self.owner, self._campaign, self._breaks))
        self._breaks.clear()

    def _check(self) -> None:
        before = self.witness.checked
        self.tally.note(self._where, self.witness.check())
        self.tally.add(compared=self.witness.checked - before)

    def _typed(self, *words: str, timeout_s: float = 120) -> None:
        done = self.owner.type(*words, timeout_s=timeout_s)
        self._expect(done.returncode == 0, f"`{words[0]}` ended with {done.returncode}: {done.stderr[-600:]}")
        self._expect("Traceback" not in done.stderr, f"`{words[0]}` broke: {done.stderr[-600:]}")

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.tally.problem(self._where, otherwise)


def survives(fault: Fault) -> bool:
    """Tell whether a process is meant to go on."""
    return fault.signal is signal.SIGSTOP or (fault.signal is signal.SIGHUP and fault.target in ("runner", "agent"))


def _young(process: psutil.Process) -> bool:
    return time.time() - process.create_time() < YOUNG_S + SETTLE_S


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def _gone(processes: Sequence[psutil.Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(_runs, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
