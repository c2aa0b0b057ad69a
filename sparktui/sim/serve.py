"""An HTTP server that says SIMULATED on every answer and ends quietly, within a second, when told to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BACKLOG = 1024
MARK = ("x-sparktui-simulated", "1")


class ClosingStream(StreamingResponse):
    """A stream that frees what it holds when it ends, also where the client left before it began."""

    def __init__(
        self, content: AsyncIterator[bytes], close: Callable[[], None], status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(content, status, headers)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as ASGI asks."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()


class QuietServer(uvicorn.Server):
    """Uvicorn, but SIGTERM and SIGINT end it at once with exit code 0, open streams or not."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals over for as long as the server runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.leave)
        yield

    def leave(self) -> None:
        """Cut every connection and end."""
        self.should_exit = self.force_exit = True
        # From Python 3.12 on a server is not closed before its connections are.
        for connection in list(self.server_state.connections):
            connection.transport.abort()


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGTERM."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[MARK],
        timeout_graceful_shutdown=1,
    )
    await QuietServer(config).serve([listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket whose connections send every chunk at once; raise OSError."""
    # asyncio sets TCP_NODELAY only where a socket's protocol is spelt out, and socket.create_server leaves it at 0.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def address(listener: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
