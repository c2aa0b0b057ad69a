"""Which umask each process has: ours while it writes, the user's for whatever it starts."""

from __future__ import annotations

import subprocess
import sys

SAY = "import os; print(oct(os.umask(0)))"
STORY = f"""
import os, subprocess, sys
from sparktui import private
os.umask(0o027)
private.close_to_others()
private.close_to_others()
print(oct(os.umask(0o077)), flush=True)
subprocess.run([sys.executable, "-c", {SAY!r}], umask=private.users_umask(), check=True)
private.leave_to_what_is_started()
subprocess.run([sys.executable, "-c", {SAY!r}], check=True)
"""


def test_ours_is_closed_and_what_is_started_has_the_users_again() -> None:
    done = subprocess.run([sys.executable, "-c", STORY], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["0o77", "0o27", "0o27"]
