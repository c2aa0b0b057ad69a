from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from sparktui.errors import HostError
from sparktui.serving import piped
from sparktui.serving.leftovers import processes_left, signal_all
from sparktui.serving.local import LocalHost, process_started
from sparktui.serving.ssh import SshHost, quoted
from sparktui.serving.stop import end_group

FISH_BREAKS_OUT = "\\'\"; touch pwned #"
"""Harmless as `shlex.quote` writes it in sh; in fish, where a backslash escapes between single quotes, a command."""
HOSTILE = ["a b", "$(touch pwned)", "`id`", "'quoted'", '"double"', "semi;colon", "new\nline", "*", "~", "", "--", "\\"]
HOSTILE += ["=ls", "{a,b}", FISH_BREAKS_OUT]
ECHO = ["python3", "-c", "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"]


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SshHost:
    """A host whose `ssh` does what sshd does: hands the one command string to a login shell."""
    fake = tmp_path / "bin" / "ssh"
    fake.parent.mkdir()
    fake.write_text('#!/bin/bash\nprintf "%s\\n" "$@" > "$SSH_ARGV"\nexec bash -c "${@: -1}"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin:{Path(__import__('sys').executable).parent}")
    monkeypatch.setenv("SSH_ARGV", str(tmp_path / "argv"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return SshHost("gf1", tmp_path)


async def test_hostile_words_reach_the_far_end_as_they_are(ssh: SshHost, tmp_path: Path) -> None:
    done = await ssh.run([*ECHO, *HOSTILE], env={"X": "$(touch pwned)"}, cwd=str(tmp_path), timeout_s=20)
    assert done.stdout.split("\0") == HOSTILE
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "fish"])
def test_a_quoted_word_is_the_same_in_every_login_shell(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    line = " ".join(map(quoted, [*ECHO, *HOSTILE]))
    done = subprocess.run([shell, "-c", line], capture_output=True, text=True, cwd=tmp_path, timeout=30)
    assert done.stdout.split("\0") == HOSTILE
    assert not (tmp_path / "pwned").exists()


def test_no_quote_or_backslash_is_left_to_how_a_shell_reads_it_between_quotes() -> None:
    assert quoted("a'b\\c d") == "a\\'b\\\\'c d'"
    assert quoted("") == "''"
    assert quoted("--port=/x:1,2") == "'--port=/x:1,2'"


async def test_a_login_shell_that_greets_does_not_hide_what_was_started(ssh: SshHost, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "ssh"
    fake.write_text(fake.read_text().replace("exec bash", "echo Welcome to spark\nexec bash"))
    running = await ssh.spawn(["sleep", "62"], log=tmp_path / "run" / "x.log")
    assert await running.alive()
    assert await end_group(running)


async def test_a_signal_is_not_left_to_the_login_shells_own_kill(ssh: SshHost, tmp_path: Path) -> None:
    running = await LocalHost().spawn(["sleep", "62"], log=tmp_path / "x.log")
    await signal_all(ssh, (running.pid,), signal.SIGTERM)
    assert running.process is not None
    assert await running.process.wait() == -signal.SIGTERM
    assert (tmp_path / "argv").read_text().splitlines()[-1].startswith("sh -c ")


async def test_hostile_words_reach_a_local_command_as_they_are(tmp_path: Path) -> None:
    done = await LocalHost().run([*ECHO, *HOSTILE], cwd=str(tmp_path), timeout_s=20)
    assert done.stdout.split("\0") == HOSTILE


async def test_a_folder_under_home_is_found_on_the_far_end(
    ssh: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "spark vllm").mkdir()
    assert (await ssh.run(["pwd"], cwd="~/spark vllm", timeout_s=20)).stdout.strip() == str(tmp_path / "spark vllm")
    assert (await ssh.run(["pwd"], cwd="~", timeout_s=20)).stdout.strip() == str(tmp_path)


async def test_ssh_never_asks_and_always_checks_host_keys(ssh: SshHost, tmp_path: Path) -> None:
    await ssh.run(["true"], timeout_s=20)
    argv = (tmp_path / "argv").read_text()
    assert "BatchMode=yes" in argv
    assert "ConnectTimeout=5" in argv
    assert "StrictHostKeyChecking" not in argv  # the user's own setting holds; it is never loosened


@pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh here")
def test_a_data_folder_with_a_space_or_a_percent_sign_holds_the_shared_connection(tmp_path: Path) -> None:
    folder = tmp_path / "Application Support" / "100%h"
    argv = SshHost("gf1", folder).command(["true"])
    shown = subprocess.run(["ssh", "-G", *argv[1:]], capture_output=True, text=True)
    assert f"controlpath {folder}/" in shown.stdout, shown.stderr


async def test_a_broken_ssh_says_how_to_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ssh"
    fake.write_text("#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(HostError, match=r"ssh gf1: Host key verification failed\.") as raised:
        await SshHost("gf1", tmp_path).run(["true"], timeout_s=20)
    assert "ssh -o BatchMode=yes gf1 true" in raised.value.hint


@pytest.mark.parametrize(
    ("end", "why"), [("kill -KILL $$", "was ended by SIGKILL"), ("exit 255", "the connection was lost")]
)
async def test_an_ssh_that_is_killed_is_no_answer_of_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, why: str
) -> None:
    fake = tmp_path / "ssh"
    fake.write_text(f"#!/bin/sh\n{end}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    host = SshHost("gf1", tmp_path)
    with pytest.raises(HostError, match=f"ssh gf1: {why}"):
        await host.adopt(4711, None, tmp_path / "x.log").alive()
    with pytest.raises(HostError, match=f"ssh gf1: {why}"):
        await processes_left(host, "gf1", "mark")


async def test_a_command_that_does_not_end_is_killed_at_its_deadline() -> None:
    with pytest.raises(HostError, match="had not ended"):
        await LocalHost().run(["sleep", "60"], timeout_s=0.2)


async def test_a_command_that_is_not_there_says_so() -> None:
    with pytest.raises(HostError, match="cannot start no-such-program"):
        await LocalHost().run(["no-such-program"], timeout_s=5)


async def test_a_spawned_group_is_watched_logged_and_ended_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    running = await LocalHost().spawn(["bash", "-c", "sleep 61 & echo up; wait"], log=log)
    assert await running.alive()
    assert await end_group(running)
    assert not await running.alive()
    assert (await running.log_tail()) in ("up\n", "")


async def test_a_spawned_group_over_ssh_is_watched_and_ended(ssh: SshHost, tmp_path: Path) -> None:
    running = await ssh.spawn(["bash", "-c", "echo up; sleep 62"], log=tmp_path / "run" / "x.log")
    assert await running.alive()
    assert await end_group(running)
    assert not await running.alive()


async def test_a_process_id_used_again_is_not_killed(tmp_path: Path) -> None:
    running = await LocalHost().spawn(["sleep", "63"], log=tmp_path / "x.log")
    started = process_started(running.pid) or 0
    another = LocalHost().adopt(running.pid, started - 100, tmp_path / "x.log")
    assert not await another.alive()
    await another.signal(signal.SIGKILL)
    assert await running.alive()
    assert await end_group(LocalHost().adopt(running.pid, started, tmp_path / "x.log"))
    assert running.process is not None
    assert await running.process.wait() == -signal.SIGTERM


@pytest.mark.parametrize("way", ["local", "ssh"])
async def test_a_group_whose_leader_is_gone_is_not_killed_by_its_number(ssh: SshHost, tmp_path: Path, way: str) -> None:
    host = LocalHost() if way == "local" else ssh
    words = ["sh", "-c", "sleep 64 >/dev/null & echo $!"]
    leader = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE, start_new_session=True)
    said, _ = await asyncio.wait_for(leader.communicate(), 20)
    orphan = psutil.Process(int(said))
    await host.adopt(leader.pid, 1.0, tmp_path / "x.log").signal(signal.SIGKILL)
    await asyncio.sleep(0.2)  # a signal that was sent has arrived by then
    assert orphan.status() != psutil.STATUS_ZOMBIE
    orphan.kill()


async def test_a_command_that_leaves_a_daemon_behind_ends_when_it_ends() -> None:
    done = await LocalHost().run(["sh", "-c", "sleep 5 & echo up"], timeout_s=4)
    assert done.stdout == "up\n"


async def test_a_daemon_that_goes_on_writing_does_not_hold_its_command_up() -> None:
    done = await LocalHost().run(["sh", "-c", "echo up; yes & echo $!"], timeout_s=30)
    assert done.stdout.startswith("up\n")
    assert done.returncode == 0


async def test_a_command_needs_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    done = await LocalHost().run(["cat"], timeout_s=20, stdin=b"said")
    assert done.stdout == "said"


async def test_what_is_larger_than_a_pipe_goes_in_and_comes_out_whole() -> None:
    said = b"0123456789abcdef" * 65536
    done = await LocalHost().run(["sh", "-c", "tee /dev/stderr"], timeout_s=60, stdin=said)
    assert done.stdout.encode() == said
    assert done.stderr.encode() == said


async def test_a_command_that_reads_nothing_of_what_it_is_told_ends_all_the_same() -> None:
    assert (await LocalHost().run(["true"], timeout_s=20, stdin=b"x" * 2**20)).returncode == 0


async def test_a_command_that_says_too_much_is_cut_off_and_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piped, "MOST_BYTES", 1000)
    done = await LocalHost().run(["sh", "-c", "head -c 300000 /dev/zero; exit 3"], timeout_s=60)
    assert (len(done.stdout), done.returncode) == (1000, 3)
