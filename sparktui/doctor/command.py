"""Runs the check: every node at the same time, each within its own deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click

from sparktui.doctor.findings import Finding
from sparktui.doctor.judge import Wanted, judge, unlike_versions
from sparktui.doctor.look import Questions, look
from sparktui.doctor.readings import sample_of, verdict_findings, verdicts
from sparktui.doctor.router import router_findings
from sparktui.doctor.wanted import questions_for, wanted_of
from sparktui.errors import ExitCode, HostError
from sparktui.nodes.sample import NodeSample
from sparktui.paths import store_path
from sparktui.profile.model import Profile
from sparktui.runner.hosts import hosts_of
from sparktui.serving.host import Host
from sparktui.serving.local import LocalHost

HERE = "this machine"
MARKS = {"ok": "ok", "warning": "WARNING", "problem": "PROBLEM", "unknown": "?"}


async def check(profile: Profile | None) -> list[Finding]:
    """Look at every node of a profile, or at this machine alone."""
    if profile is None:
        return (await _check_node(HERE, LocalHost(), Wanted(), ()))[0]
    hosts = hosts_of(profile)
    nodes = [name for name, node in profile.nodes.items() if node.host != "simulated"]
    tasks = []
    for name in nodes:
        wanted = wanted_of(profile, name)
        tasks.append(_check_node(name, hosts[name], wanted, questions_for(wanted, profile, name)))
    checked = await asyncio.gather(*tasks)
    found = [finding for findings, _ in checked for finding in findings]
    alike = [finding for subject in ("ray", "image") for finding in unlike_versions(found, subject)]
    routers = await router_findings(profile, hosts)
    return found + alike + routers + await _verdicts(profile, [sample for _, sample in checked if sample is not None])


async def _check_node(
    node: str, host: Host, wanted: Wanted, questions: Iterable[tuple[str, str]]
) -> tuple[list[Finding], NodeSample | None]:
    try:
        opened = await host.run(["true"], timeout_s=15)  # so that the clock is not read through the connection's start
        said = await look(host, Questions(list(questions)).pairs)
    except HostError as error:
        return [Finding(node, "ssh", "problem", error.message, error.hint)], None
    return [*_talkative(node, opened.stdout), *judge(node, wanted, said)], sample_of(node, said)


async def _verdicts(profile: Profile, samples: list[NodeSample]) -> list[Finding]:
    if profile.simulated:
        return []
    judged = await asyncio.to_thread(verdicts, profile, store_path(), {sample.node: sample for sample in samples})
    return list(verdict_findings(judged))


def _talkative(node: str, said: str) -> Iterator[Finding]:
    if said.strip():
        hint = "its ~/.bashrc or the like prints for every command: let it print for a terminal only"
        yield Finding(node, "ssh", "warning", f"its login shell says {said.strip()[:80]!r} on its own", hint)


def print_check(profile: Profile | None, as_json: bool) -> ExitCode:
    """Print every finding, and return what the process is to end with: 1 where there is a problem."""
    findings = asyncio.run(check(profile))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
        if not findings:
            click.echo("nothing to check: every node of this profile is simulated")
    return ExitCode.PARTIAL if any(finding.verdict == "problem" for finding in findings) else ExitCode.DONE


def _print(findings: list[Finding]) -> None:
    from sparktui.visible import printable

    for node in dict.fromkeys(finding.node for finding in findings):
        click.echo(printable(node))
        for finding in findings:
            if finding.node == node:
                click.echo(f"  {MARKS[finding.verdict]:<8}{finding.subject:<12}{printable(finding.text)}")
                if finding.hint and finding.verdict != "ok":
                    click.echo(f"{'':22}-> {printable(finding.hint)}")
