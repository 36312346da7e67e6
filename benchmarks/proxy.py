"""A link: a proxy before an HTTP server that makes it far away, and counts.

It reads heads and passes bodies on. Requests have no body: this is for reading.
Told and asked over HTTP too: ``/.link/set?latency=…&each=…&total=…`` starts
counting from zero, ``/.link/counts`` gives what was counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl, urlsplit

from benchmarks.links import UNSHAPED, Link

__all__ = ["Counts", "Proxy", "main"]

PIECE = 256 * 1024
"""Bytes passed on at a time; a quarter where all share the link, so that they take turns."""
CATCH_UP = 0.02
"""Seconds of bandwidth that a client which was slow to read may make good."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_BODILESS = (b"204", b"304")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Counts:
    """What went over the link."""

    requests: int = 0
    heads: int = 0
    """Those of the requests that were ``HEAD``."""
    nbytes_sent: int = 0
    """Of the bodies of answers."""
    most_in_flight: int = 0
    failed: int = 0
    """Answers of status 400 and above."""
    in_flight: int = 0


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
    _idle: list[Streams] = field(default_factory=list)
    _free_at: float = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                method, target, _ = head.split(b" ", 2)
                if target.startswith(b"/.link/"):
                    writer.write(self._told(target.decode()))
                else:
                    await self._pass_on(head, method, writer)
        writer.close()

    def _told(self, target: str) -> bytes:
        asked = urlsplit(target)
        if asked.path == "/.link/set":
            numbers = {name: float(value) for name, value in parse_qsl(asked.query)}
            self.link = Link("as told", **numbers)
            self.counts = Counts()
            self._free_at = 0.0
        body = json.dumps(asdict(self.counts)).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def _pass_on(self, head: bytes, method: bytes, writer: asyncio.StreamWriter) -> None:
        counts = self.counts
        counts.requests += 1
        counts.heads += method == b"HEAD"
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        begin = asyncio.get_running_loop().time() + self.link.latency
        try:
            streams = await self._ask(head)
            answer = await streams[0].readuntil(b"\r\n\r\n")
            counts.failed += answer[9:10] >= b"4"
            await _until(begin)
            writer.write(answer)
            if method != b"HEAD" and answer[9:12] not in _BODILESS:
                await self._pass_body(answer, streams[0], writer, _Pace(self, begin))
            await writer.drain()
            self._idle.append(streams)
        finally:
            counts.in_flight -= 1

    async def _ask(self, head: bytes) -> Streams:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                writer.write(head)
                return reader, writer
        reader, writer = await asyncio.open_connection(*self.upstream, limit=4 * PIECE)
        writer.write(head)
        return reader, writer

    async def _pass_body(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pace: _Pace
    ) -> None:
        if _CHUNKED.search(head):
            await self._pass_chunks(reader, writer)
        length = _LENGTH.search(head)
        left = int(length[1]) if length else 0
        while left:
            piece = await reader.read(min(left, pace.piece))
            if not piece:
                raise ConnectionResetError("the server ended an answer early")
            await pace.wait(len(piece))
            writer.write(piece)
            pace.counts.nbytes_sent += len(piece)
            await writer.drain()
            left -= len(piece)

    async def _pass_chunks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Pass on a list of objects, say: nothing that a benchmark reads comes so."""
        size = b"1"
        while int(size, 16):
            size = await reader.readuntil(b"\r\n")
            piece = await reader.readexactly(int(size, 16) + 2)
            writer.write(size + piece)
            self.counts.nbytes_sent += len(piece) - 2

    def reserve(self, seconds: float, now: float) -> float:
        """Take the shared link for some time; gives when that time is over."""
        self._free_at = max(now, self._free_at) + seconds
        return self._free_at


class _Pace:
    """When the pieces of one answer may go on."""

    def __init__(self, proxy: Proxy, begin: float) -> None:
        self._proxy = proxy
        self._link = proxy.link
        self.counts = proxy.counts
        self._due = begin
        self.piece = PIECE // 4 if self._link.total else PIECE

    async def wait(self, nbytes: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._link.each:
            self._due = max(self._due, now - CATCH_UP) + nbytes / self._link.each
        due = self._due
        if self._link.total:
            due = max(due, self._proxy.reserve(nbytes / self._link.total, now))
        await _until(due)


async def _until(when: float) -> None:
    delay = when - asyncio.get_running_loop().time()
    if delay > 0:
        await asyncio.sleep(delay)


async def _run(upstream: tuple[str, int]) -> None:
    proxy = Proxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve until killed; the first line printed is the port."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proxy", description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    # asyncio's own loop does as well, with more CPU time a request.
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with suppress(KeyboardInterrupt):
        asyncio.run(_run((options.host, options.port)))


if __name__ == "__main__":
    main()
