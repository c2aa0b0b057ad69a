"""From what a node said to findings: pure. What a node did not say is unknown, never fine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial

from sparktui.doctor.findings import Finding, Verdict, ok, unknown
from sparktui.doctor.look import Answers, whole

GIB = 1024**3
KIB = 1024
CLOCK_WARN_S = 1.0
DISK_WARN_GIB, DISK_PROBLEM_GIB = 10.0, 1.0
FABRIC_MBPS = 100_000
JUMBO_MTU = 9000
LOOPBACK = "127."
"""Every node's own, though `hostname -I` leaves it out; of no use to other ranks."""
LINK_RATE_GBPS = 200.0
"""What a ConnectX-7 port of a Spark negotiates."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a profile needs of one node."""

    refuse_gib: float = 8.0
    address: str | None = None
    ports: tuple[int, ...] = ()
    interfaces: tuple[str, ...] = ()
    """Names; one that ends in `*` is the beginning of some."""
    image: str | None = None
    programs: tuple[str, ...] = ()
    ray: str | None = None
    """Ray's program, where a cluster runs on it."""
    model: str | None = None
    """A path, or a name on the model hub."""
    docker: bool = False
    clustered: bool = False
    others: dict[str, str] = field(default_factory=dict)
    """Addresses of the other nodes it must reach, by name."""


def judge(node: str, wanted: Wanted, said: Answers) -> list[Finding]:
    """Return every finding on a node that answered."""
    checks = (_clock, _system, _memory, _disk, _ports, _address, _interfaces, _rdma, _programs, _ray, _docker, _image)
    found = [finding for check in checks for finding in check(node, wanted, said)]
    return [*found, *_model(node, wanted, said), *_reach(node, wanted, said), *_permissions(node, wanted, said)]


def _clock(node: str, _: Wanted, said: Answers) -> Iterator[Finding]:
    there = said.number("time")
    if there is None:
        yield unknown(node, "clock", "it does not tell its time")
        return
    early, late = there - said.asked_at - said.took_s / 2, there - said.asked_at + said.took_s / 2
    off = 0.0 if early <= 0 <= late else min(early, late, key=abs)
    if abs(off) <= CLOCK_WARN_S:
        yield ok(node, "clock", "agrees with this machine's")
        return
    hint = "its log times will not fit the others; `timedatectl` there. Figures are not touched by it."
    yield Finding(node, "clock", "warning", f"is {off:+.1f} s off this machine's", hint)


def _system(node: str, _: Wanted, said: Answers) -> Iterator[Finding]:
    parts = [f"{title} {value}" for title, name in _SYSTEM if (value := said.one(name)) is not None]
    yield ok(node, "system", ", ".join(parts)) if parts else unknown(node, "system", "it does not tell what it runs")


_SYSTEM = (("Linux", "kernel"), ("on", "machine"), ("DGX OS", "dgx"), ("driver", "driver"), ("GPU", "gpu"))


def _memory(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    left_kib, total_kib = said.number("MemAvailable"), said.number("MemTotal")
    if left_kib is None or total_kib is None:
        yield unknown(node, "memory", "it does not tell what it has left")
        return
    left, total = left_kib * KIB / GIB, total_kib * KIB / GIB
    text = f"{left:.1f} GiB left of {total:.1f}"
    if left < wanted.refuse_gib:
        hint = "stop what holds it; a model's files in the page cache count as left already"
        yield Finding(node, "memory", "problem", f"{text}, under the {wanted.refuse_gib:.0f} it takes to launch", hint)
        return
    yield ok(node, "memory", text)


def _disk(node: str, _: Wanted, said: Answers) -> Iterator[Finding]:
    for line in said.values.get("disk", []):
        size, _space, folder = line.partition(" ")
        if (free_kib := whole(size)) is None:
            yield unknown(node, "disk", f"{folder or line}: it does not tell")
            continue
        free = free_kib * KIB / GIB
        text = f"{free:.0f} GiB free in {folder}"
        if free >= DISK_WARN_GIB:
            yield ok(node, "disk", text)
        else:
            verdict: Verdict = "problem" if free < DISK_PROBLEM_GIB else "warning"
            yield Finding(node, "disk", verdict, text, "logs, compiled kernels and samples need some room")


def _ports(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    if not wanted.ports:
        return
    if "port" not in said.values:
        yield unknown(node, "ports", "`ss` is not there to tell which are taken")
        return
    taken = [port for port in wanted.ports if str(port) in said.values["port"]]
    for port in taken:
        hint = f"`ss -ltnp 'sport = :{port}'` there names what listens; stop it, or choose another port"
        yield Finding(node, "ports", "problem", f"{port} is taken", hint)
    if not taken:
        yield ok(node, "ports", f"{', '.join(map(str, wanted.ports))} free")


def _address(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    own = (said.one("addresses") or "").split()
    if wanted.address is None or not own or not wanted.address[0].isdigit():
        return
    if wanted.address in own or (wanted.address.startswith(LOOPBACK) and not wanted.clustered):
        yield ok(node, "address", f"{wanted.address} is its own")
        return
    hint = "set the node's address to the one on the link between the nodes: `ip -br addr` there"
    yield Finding(node, "address", "problem", f"{wanted.address} is none of its own ({', '.join(own)})", hint)


def _interfaces(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    seen = {words[0]: words[1:] for line in said.values.get("interface", []) if len(words := line.split()) == 4}
    for wish in wanted.interfaces:
        name = next(filter(partial(fnmatchcase, pat=wish), sorted(seen)), None)
        if name is None:
            hint = f"it has {', '.join(sorted(seen)) or 'none it tells of'}; correct the name in the profile"
            mark: Verdict = "problem" if seen else "unknown"
            yield Finding(node, "interface", mark, f"{wish} is not there", hint, certain=bool(seen))
            continue
        state, mtu, mbps = seen[name][0], seen[name][1], whole(seen[name][2])
        text = f"{name} is {state}, MTU {mtu}" + (f", {mbps // 1000} Gb/s" if mbps else "")
        if state not in ("up", "unknown"):
            yield Finding(node, "interface", "problem", text, "the cable, or `ip link set … up`")
        elif (mbps or 0) >= FABRIC_MBPS and (whole(mtu) or JUMBO_MTU) < JUMBO_MTU:
            yield Finding(node, "interface", "warning", text, f"set MTU {JUMBO_MTU} on both ends of the link")
        else:
            yield ok(node, "interface", text)


def _rdma(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    if not wanted.clustered:
        return
    ports = [words for line in said.values.get("rdma", []) if len(words := line.split()) >= 3]
    if not ports:
        yield unknown(node, "RDMA", "no RDMA device: ranks would talk over plain sockets")
    for device, state, rate in (words[:3] for words in ports):
        text = f"{device} is {state}, {rate} Gb/s"
        if state != "ACTIVE":
            yield Finding(node, "RDMA", "warning", text, "one cable brings up two of the four devices")
        elif _number(rate) is not None and (_number(rate) or 0) < LINK_RATE_GBPS / 2:
            yield Finding(node, "RDMA", "warning", text, "the link has come up slow: reseat the cable")
        else:
            yield ok(node, "RDMA", text)


def _programs(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    for name in wanted.programs:
        lines = [line for line in said.values.get("program", []) if line.startswith(f"{name} ")]
        where = lines[0].removeprefix(f"{name} ") if lines else None
        if where is None:
            yield unknown(node, "program", f"{name}: it does not tell")
        elif where == "-":
            hint = "install it there, or give its full path; a login over ssh may have a shorter PATH than yours"
            yield Finding(node, "program", "problem", f"{name} is not there", hint, certain=True)
        else:
            yield ok(node, "program", f"{name} is {where}" if where != name else f"{name} is there")


def _ray(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    if wanted.ray is None:
        return
    version = said.one("ray")
    if version is None:
        hint = "install ray in vLLM's environment there, the same version on every node"
        yield Finding(node, "ray", "problem", f"{wanted.ray} does not tell its version", hint)
    else:
        yield ok(node, "ray", f"version {version}")


def _docker(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    if not wanted.docker:
        return
    version = said.one("docker")
    if version is None:
        yield Finding(node, "docker", "problem", "is not there", "install Docker on that node", certain=True)
    elif not version[:1].isdigit():
        hint = "is the daemon up, and this user in the docker group? (`sudo usermod -aG docker $USER`, log in again)"
        yield Finding(node, "docker", "problem", f"does not answer: {version[:120]}", hint)
    else:
        yield ok(node, "docker", f"version {version}")


def _image(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    if wanted.image is None:
        return
    found = dict(line.rsplit(" ", 1) for line in said.values.get("image", []) if " " in line)
    identity = found.get(wanted.image)
    if identity is None:
        yield unknown(node, "image", f"{wanted.image}: it does not tell")
    elif identity == "-":
        hint = f"pull or build it there first: `docker pull {wanted.image}`"
        docker_answers = (said.one("docker") or "")[:1].isdigit()
        yield Finding(node, "image", "problem", f"{wanted.image} is not there", hint, certain=docker_answers)
    else:
        yield ok(node, "image", f"{wanted.image} is {identity.removeprefix('sha256:')[:12]}")


def _model(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    if wanted.model is None:
        return
    answers = [*said.values.get("path", []), *said.values.get("hub", [])]
    if any(answer.startswith("yes ") for answer in answers):
        yield ok(node, "model", f"{wanted.model} is there")
    elif answers and wanted.model.startswith(("/", "~", ".")):
        hint = "copy it there, or correct model.path"
        yield Finding(node, "model", "problem", f"{wanted.model} is not there", hint)
    elif answers:
        hint = "the engine will download it while it launches, within ready_timeout_s; download it there first"
        yield Finding(node, "model", "warning", f"{wanted.model} is not in its Hugging Face cache", hint)
    else:
        yield unknown(node, "model", f"{wanted.model}: it does not tell")


def _reach(node: str, wanted: Wanted, said: Answers) -> Iterator[Finding]:
    codes = dict(line.rsplit(" ", 1) for line in said.values.get("reach", []) if " " in line)
    for other, address in wanted.others.items():
        code = codes.get(f"{address}|22")
        if code is None:
            yield unknown(node, "reach", f"{other} at {address}: it does not tell")
        elif code != "0":
            hint = "check the address, the cable and the firewall between the two"
            yield Finding(node, "reach", "problem", f"{other} at {address} does not answer", hint)
        else:
            yield ok(node, "reach", f"{other} at {address} answers")


def _permissions(node: str, _: Wanted, said: Answers) -> Iterator[Finding]:
    if said.one("cache") is None:
        hint = "logs and the agent are kept there while a topology is up"
        yield Finding(node, "permissions", "problem", "cannot write ~/.cache/sparktui", hint)
    else:
        yield ok(node, "permissions", "can write ~/.cache/sparktui")
    if said.one("psi") is None:
        hint = "the kernel was built or booted without it (psi=1); the guard goes by memory left alone"
        yield Finding(node, "permissions", "warning", "no memory pressure figures", hint)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def unlike_versions(findings: list[Finding], subject: str) -> list[Finding]:
    """Return a problem for every node whose version of something is not the first node's: ranks must be alike."""
    told = [finding for finding in findings if finding.subject == subject and finding.verdict == "ok"]
    return [
        Finding(
            other.node, subject, "problem", f"{other.text}, but {told[0].node} has {told[0].text}", "make them alike"
        )
        for other in told[1:]
        if other.text != told[0].text
    ]
