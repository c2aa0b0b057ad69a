"""A real HTTP engine in which every so many completions go wrong in one way."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.scripted_server import LAST_CHUNK, SSE_HEAD, chunked, event, stream

TOKENS = 4
SILENT_S = 20.0
BETWEEN_TOKENS_S = 0.005


@dataclass
class FlakyServer:
    """A running engine; nothing goes wrong until `way` says what does."""

    url: str = ""
    way: str = ""
    every: int = 1
    """One in so many, and not the first, which proves that it serves; 0 for every one."""
    model: str = "m"
    """What it says it answers as."""
    served: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_way(self) -> str:
        """Return how the next completion goes wrong; empty for well."""
        with self.lock:
            self.served += 1
            if self.every == 0:
                return self.way
            return self.way if self.served > self.every and self.served % self.every == 0 else ""


@contextmanager
def flaky_server() -> Iterator[FlakyServer]:
    """Run one."""
    state = FlakyServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._json(200 if self.path == "/v1/models" else 404, {"data": [{"id": "m"}]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/tokenize":
                self._json(200, {"count": json.dumps(asked).count(" ")})
            elif asked.get("stream"):
                self._complete(state.next_way())
            else:
                usage = {"prompt_tokens": 9}
                self._json(200, {"model": state.model, "choices": [{"message": {"content": "x"}}], "usage": usage})

        def _complete(self, way: str) -> None:
            match way:
                case "500" | "429":
                    self._json(int(way), {"error": {"message": "overloaded"}})
                case "html":
                    self._say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<h1>!")
                case "error event":
                    self._say(SSE_HEAD + chunked(event({"error": {"message": "CUDA error"}})) + LAST_CHUNK)
                case "short":
                    self._say(SSE_HEAD + b"".join(map(chunked, stream(2))) + LAST_CHUNK)
                case "other model":
                    chunks = (chunk.replace(b'"id": "x"', b'"model": "another-9b"') for chunk in stream(TOKENS))
                    self._say(SSE_HEAD + b"".join(map(chunked, chunks)) + LAST_CHUNK)
                case "silent":
                    time.sleep(SILENT_S)
                    self.close_connection = True
                case "reset" | "cut":
                    self._say(SSE_HEAD + chunked(stream(TOKENS)[1])[:30])
                    if way == "reset":
                        gone = struct.pack("ii", 1, 0)
                        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, gone)
                    self.close_connection = True
                case "in one piece":
                    self._say(SSE_HEAD + b"".join(map(chunked, stream(TOKENS))) + LAST_CHUNK)
                case _:
                    self._stream()

        def _stream(self) -> None:
            self._say(SSE_HEAD)
            for piece in stream(TOKENS):
                self._say(chunked(piece))
                time.sleep(BETWEEN_TOKENS_S)
            self._say(LAST_CHUNK)

        def _json(self, status: int, value: object) -> None:
            body = json.dumps(value).encode()
            self._say(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n".encode())
            self._say(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

        def _say(self, data: bytes) -> None:
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hangs up on it is what is wanted."""

    with Quiet(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_address[1]}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield state
        running.shutdown()
        thread.join()
