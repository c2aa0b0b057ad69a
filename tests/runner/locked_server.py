"""A real HTTP engine with a key; every prompt has ten tokens and every answer four, whatever was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil

from tests.scripted_server import LAST_CHUNK, chunked, stream


@dataclass
class LockedServer:
    """A running engine that answers nobody without its key, and repeats what it was given where it refuses it."""

    url: str = ""
    refuses: tuple[str, ...] = ()
    """What no key is good enough for, by its path."""
    answered: set[str] = field(default_factory=set)
    argvs: set[str] = field(default_factory=set)
    """The command lines of everything that ran while it was answering."""


@contextmanager
def locked_server(key: str) -> Iterator[LockedServer]:
    """Run one whose key is this."""
    state = LockedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({"data": [{"id": "m"}]} if self.path == "/v1/models" else None)

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/tokenize":
                self._answer({"count": json.dumps(asked).count(" ")})
            elif asked.get("stream") and self._is_let_in():
                state.argvs |= {" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])}
                self._head(200, "text/event-stream", "Transfer-Encoding", "chunked")
                self.wfile.write(b"".join(map(chunked, stream(4))) + LAST_CHUNK)
            else:
                self._answer({"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 9}})

        def _is_let_in(self) -> bool:
            return self.path not in state.refuses and self.headers["Authorization"] == f"Bearer {key}"

        def _answer(self, value: object) -> None:
            if not self._is_let_in():
                value = {"error": {"message": f"no such key: {self.headers['Authorization']}"}}
            status = 401 if not self._is_let_in() else 200 if value else 404
            state.answered.add(f"{self.path} {status}")
            body = json.dumps(value).encode()
            self._head(status, "application/json", "Content-Length", str(len(body)))
            self.wfile.write(body)

        def _head(self, status: int, kind: str, framing: str, value: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header(framing, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        state.url = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield state
        running.shutdown()
        thread.join()
