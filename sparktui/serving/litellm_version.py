"""Which LiteLLM is about to be run, found out without running it.

The packages 1.82.7 and 1.82.8 carried a file that steals keys as soon as any Python starts in their environment
(PYSEC-2026-2), so asking `litellm --version` would be too late. Versions before 1.84.0 let requests past their key
(CVE-2026-49468).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sparktui.errors import LaunchError
from sparktui.serving.host import Host
from sparktui.serving.litellm import KEY_ENV
from sparktui.serving.plan import Plan

OLDEST = (1, 84, 0)
STOLEN = frozenset({(1, 82, 7), (1, 82, 8)})
LOOK_TIMEOUT_S = 15.0
INSTALL = "install it in an environment of its own: uv tool install 'litellm[proxy]>=1.84.0'"

FIND = """
program=$(command -v -- "$1") || exit 3
program=$(readlink -f -- "$program")
for info in "$(dirname -- "$program")"/../lib/python3*/site-packages/litellm-*.dist-info; do
    [ -d "$info" ] && basename -- "$info"
done
exit 0
"""
"""What pip left beside the program's own interpreter; a launcher that is a link is followed."""

_DIST_INFO = re.compile(r"^litellm-([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?![0-9])\S*\.dist-info$", re.MULTILINE)


Version = tuple[int, int, int]


async def refuse_unsafe(plan: Plan, hosts: Mapping[str, Host]) -> None:
    """Look at the LiteLLM of a plan's router, where it has one, before anything is started.

    Raises:
        LaunchError: It is not there, is too old, is one of the two stolen releases, or cannot be told.
        HostError: Its node cannot be asked.
    """
    for step in plan.steps:
        if KEY_ENV in step.secret_env:
            await look_at(hosts[step.node], step.argv[0], step.node)


async def look_at(host: Host, executable: str, node: str) -> Version:
    """Return the version of the LiteLLM that a program on a node belongs to.

    Raises:
        LaunchError: It is not there, is too old, is one of the two stolen releases, or cannot be told.
        HostError: The node cannot be asked.
    """
    done = await host.run(["sh", "-c", FIND, "sh", executable], timeout_s=LOOK_TIMEOUT_S)
    where = f"{executable} on {node}"
    if done.returncode == 3:
        raise LaunchError(f"the router's program is not there: {where}", INSTALL)
    versions = found_versions(done.stdout)
    if len(versions) != 1:
        hint = f"{INSTALL}, and name its `litellm` in router.executable"
        raise LaunchError(f"cannot tell which LiteLLM {where} is", hint)
    _refuse(versions[0], where)
    return versions[0]


def found_versions(listing: str) -> tuple[Version, ...]:
    """Return the versions of LiteLLM among the names of dist-info folders, one a line."""
    return tuple((int(major), int(minor), int(patch)) for major, minor, patch in _DIST_INFO.findall(listing))


def shown(version: Version) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, version))


def _refuse(version: Version, where: str) -> None:
    if version in STOLEN:
        raise LaunchError(
            f"LiteLLM {shown(version)} ({where}) is a stolen release that sends your keys away: it was not started",
            f"remove that environment, change every key it could read, and {INSTALL}",
        )
    if version < OLDEST:
        raise LaunchError(f"LiteLLM {shown(version)} ({where}) lets requests past its key; 1.84.0 does not", INSTALL)
