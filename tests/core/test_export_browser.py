from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.core.exports import exported, hostile_campaign

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
OWN_HOSTS = re.compile(r"(^|\.)(google|googleapis|gvt1|gstatic)\.com$")
"""What the browser asks by itself, whatever page is open."""
DEADLINE_S = 90

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here")


@contextmanager
def recording_proxy() -> Iterator[tuple[int, list[str]]]:
    """Serve as a proxy that answers nothing and remembers which hosts were asked for."""
    hosts: list[str] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                first = connection.recv(4096).split(b"\r\n")[0].decode(errors="replace")
                if found := re.match(r"\S+ (?:\w+://)?([^/:\s]+)", first):
                    hosts.append(found[1])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], hosts
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def opened(page: Path, folder: Path) -> tuple[str, set[str]]:
    """Open a page and return what the browser made of it, and which hosts the page made it ask for."""
    assert BROWSER is not None
    with recording_proxy() as (port, hosts):
        argv = [BROWSER, *QUIET, f"--user-data-dir={folder}", f"--proxy-server=http://127.0.0.1:{port}", "--dump-dom"]
        done = subprocess.run([*argv, page.as_uri()], capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    return done.stdout, {host for host in hosts if not OWN_HOSTS.search(host)}


def test_a_page_that_asks_for_a_picture_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!DOCTYPE html><img src="http://control.invalid/x.png">')
    assert opened(page, tmp_path / "browser")[1] == {"control.invalid"}


async def test_the_report_opens_in_a_browser_that_then_asks_for_nothing(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(exported(tmp_path / "s.db", await hostile_campaign(tmp_path / "s.db"), "html"))
    dom, hosts = opened(page, tmp_path / "browser")
    assert hosts == set()
    assert dom.count("<svg ") == 3
    assert "<script" not in dom
    assert "<img" not in dom
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in dom
