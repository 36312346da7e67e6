"""A proxy that leads Earthdata's hosts to the stand-in, for clients that look names up themselves.

obstore is one of them. It speaks TLS through the tunnel as it would with AWS.
"""

import asyncio
from contextlib import suppress

from tests.earthdata.names import HOSTS, S3_HOST

_REFUSED = b"HTTP/1.1 502 no network in tests\r\n\r\n"


class Proxy:
    """Tunnels to ``port`` of loopback; on the loop that starts it.

    Attributes
    ----------
    asked : list of str
        Whom clients wanted to be led to.
    """

    def __init__(self, port):
        self._port = port
        self._server = None
        self.asked = []

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self):
        self._server.close()

    @property
    def variables(self):
        """Environment in which clients ask for S3 through this proxy, and for nothing else."""
        address = "http://{}:{}".format(*self._server.sockets[0].getsockname())
        others = [host for host in HOSTS if host != S3_HOST]
        return {"HTTPS_PROXY": address, "NO_PROXY": ",".join([*others, "localhost", "127.0.0.1"])}

    async def _serve(self, reader, writer):
        with suppress(OSError, asyncio.IncompleteReadError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            host = request.split()[1].rpartition(":")[0]
            self.asked.append(host)
            if host in HOSTS:
                there, to = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await asyncio.gather(_copy(reader, to), _copy(there, writer))
            else:
                writer.write(_REFUSED)
        writer.close()


async def _copy(reader, writer):
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()
