"""Simulated link: a proxy that adds latency, limits bandwidth and counts requests.

It parses the heads of requests and answers, and forwards bodies. Requests have no body, because
clients only read. ``/.link/set?latency=…&each=…&total=…`` sets the link and resets the counts;
``/.link/counts`` returns them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl, urlsplit

from benchmarks.links import UNSHAPED, Link

__all__ = ["Counts", "Proxy", "main"]

PIECE = 256 * 1024
"""Bytes forwarded at a time; a quarter if all connections share the link."""
CATCH_UP = 0.02
"""Seconds of unused bandwidth that a slow client may use later."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_END = b"\r\n\r\n"
_BODILESS = (b"204", b"304")


@dataclass
class Counts:
    """Counts of requests and bytes."""

    requests: int = 0
    heads: int = 0
    """Requests with the method ``HEAD``."""
    nbytes_sent: int = 0
    """Bytes of the bodies of answers."""
    max_concurrent: int = 0
    round_trips: int = 0
    """Longest chain of requests that each began after the answer to the previous one."""
    failed: int = 0
    """Answers of status 400 and above."""
    concurrent: int = 0


@dataclass
class Proxy:
    """One link to one server.

    Parameters
    ----------
    upstream
        Host and port of the server.
    """

    upstream: tuple[str, int]
    link: Link = UNSHAPED
    counts: Counts = field(default_factory=Counts)
    _idle: list[socket.socket] = field(default_factory=list)
    _free_at: float = 0.0

    async def serve(self, client: socket.socket) -> None:
        """Answer the requests of one connection."""
        loop = asyncio.get_running_loop()
        buffer = memoryview(bytearray(PIECE))
        rest = b""
        with client, suppress(ConnectionError):
            while True:
                head, rest = await _head(client, rest)
                method, target, _ = head.split(b" ", 2)
                if target.startswith(b"/.link/"):
                    await loop.sock_sendall(client, self._control(target.decode()))
                else:
                    await self._pass_on(head, method, client, buffer)

    def _control(self, target: str) -> bytes:
        request = urlsplit(target)
        if request.path == "/.link/set":
            numbers = {name: float(value) for name, value in parse_qsl(request.query)}
            self.link = Link("as set", **numbers)
            self.counts = Counts()
            self._free_at = 0.0
        body = json.dumps(asdict(self.counts)).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def _pass_on(
        self, head: bytes, method: bytes, client: socket.socket, buffer: memoryview
    ) -> None:
        counts = self.counts
        counts.requests += 1
        counts.heads += method == b"HEAD"
        counts.concurrent += 1
        counts.max_concurrent = max(counts.max_concurrent, counts.concurrent)
        depth = counts.round_trips + 1
        begin = asyncio.get_running_loop().time() + self.link.latency
        try:
            upstream, answer, body = await self._ask(head)
            counts.failed += answer[9:10] >= b"4"
            await _until(begin)
            if method == b"HEAD" or answer[9:12] in _BODILESS:
                await asyncio.get_running_loop().sock_sendall(client, answer)
            else:
                pace = _Pace(self, begin)
                await _pass_body(answer, body, (upstream, client), buffer, pace)
            self._idle.append(upstream)
        finally:
            counts.concurrent -= 1
            counts.round_trips = max(counts.round_trips, depth)

    async def _ask(self, head: bytes) -> tuple[socket.socket, bytes, bytes]:
        """Return the connection, the head of the answer, and the start of its body."""
        loop = asyncio.get_running_loop()
        while self._idle:
            upstream = self._idle.pop()
            try:
                await loop.sock_sendall(upstream, head)
                return upstream, *await _head(upstream, b"")
            except ConnectionError:  # the server closed the idle connection
                upstream.close()
        upstream = _unblocked(socket.socket())
        await loop.sock_connect(upstream, self.upstream)
        await loop.sock_sendall(upstream, head)
        return upstream, *await _head(upstream, b"")

    def reserve(self, seconds: float, now: float) -> float:
        """Reserve the shared link for some seconds, and return when they end."""
        self._free_at = max(now, self._free_at) + seconds
        return self._free_at


async def _head(connection: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    """Receive until the end of a head; return the head and the bytes after it."""
    while _END not in received:
        more = await asyncio.get_running_loop().sock_recv(connection, PIECE)
        if not more:
            raise ConnectionResetError("closed before the end of a head")
        received += more
    head, end, rest = received.partition(_END)
    return head + end, rest


async def _pass_body(
    head: bytes,
    body: bytes,
    ends: tuple[socket.socket, socket.socket],
    buffer: memoryview,
    pace: _Pace,
) -> None:
    """Forward an answer; the start of its body has already been received."""
    loop = asyncio.get_running_loop()
    upstream, client = ends
    if _CHUNKED.search(head):  # a list of objects; objects have lengths
        while not body.endswith(b"0" + _END):
            body += await loop.sock_recv(upstream, PIECE)
        left = len(body)
    else:
        length = _LENGTH.search(head)
        left = int(length[1]) if length else 0
    piece = head + body
    count = len(body)
    while True:
        await pace.wait(count)
        await loop.sock_sendall(client, piece)
        left -= count
        if not left:
            return
        count = await loop.sock_recv_into(upstream, buffer[: min(left, pace.piece)])
        piece = buffer[:count]  # type: ignore[assignment]
        if not count:
            raise ConnectionResetError("the server ended an answer early")


class _Pace:
    """Pacing of the pieces of one answer."""

    def __init__(self, proxy: Proxy, begin: float) -> None:
        self._proxy = proxy
        self._link = proxy.link
        self._counts = proxy.counts
        self._due = begin
        self.piece = PIECE // 4 if self._link.total else PIECE

    async def wait(self, nbytes: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._link.each:
            self._due = max(self._due, now - CATCH_UP) + nbytes / self._link.each
        due = self._due
        if self._link.total:
            due = max(due, self._proxy.reserve(nbytes / self._link.total, now))
        self._counts.nbytes_sent += nbytes
        await _until(due)


async def _until(when: float) -> None:
    delay = when - asyncio.get_running_loop().time()
    if delay > 0:
        await asyncio.sleep(delay)


def _unblocked(connection: socket.socket) -> socket.socket:
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


async def _run(upstream: tuple[str, int]) -> None:
    proxy = Proxy(upstream)
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        server.setblocking(False)
        print(server.getsockname()[1], flush=True)
        tasks = set()
        while True:
            client, _ = await loop.sock_accept(server)
            task = loop.create_task(proxy.serve(_unblocked(client)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


def main() -> None:
    """Serve until killed; the first line printed is the port."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run((options.host, options.port)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory, or None for asyncio's loop, which takes more CPU time."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    main()
