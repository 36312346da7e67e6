"""Earthdata on loopback: search, login, temporary keys, HTTPS data and S3, with real TLS.

One server in a thread, distinguished by the Host header as behind NASA's names
(see :mod:`tests.earthdata.names`), with a certificate authority of its own.
"""

import asyncio
import base64
import hashlib
import os
import re
import socket
import ssl
import threading
import weakref
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from urllib.parse import quote, unquote

import trustme
from aiohttp import web

from tests.earthdata.cmr import RejectedError, search
from tests.earthdata.keys import PASSWORD, USER, Keys, RefusedError
from tests.earthdata.names import (
    BUCKET,
    CDN_HOST,
    CMR_HOST,
    DATA_HOST,
    HOSTS,
    LOGIN_HOST,
    OTHER_HOST,
    S3_HOST,
    Names,
)
from tests.earthdata.proxy import Proxy
from tests.earthdata.records import collection_record, granule_record
from tests.faults import Script
from xr_icesat2.granule.name import parse_name

_RANGE = re.compile(r"bytes=(\d*)-(\d+)")


class Earthdata:
    """The stand-in.

    Parameters
    ----------
    folder : Path
        For the certificate of the authority, ``authority`` afterwards.
    """

    user, password = USER, PASSWORD

    def __init__(self, folder):
        authority = trustme.CA()
        self.authority = str(folder / "authority.pem")
        authority.cert_pem.write_to_path(self.authority)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(*HOSTS).configure_cert(self._tls)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._socket.getsockname()[1]
        self.proxy = Proxy(self.port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._transports = weakref.WeakSet()
        self._signing = os.urandom(8).hex()
        self._routes = {
            CMR_HOST: self._cmr,
            LOGIN_HOST: self._login,
            DATA_HOST: self._data,
            CDN_HOST: self._cdn,
            OTHER_HOST: self._other,
            S3_HOST: self._s3,
        }
        self.reset()

    def reset(self):
        """Forget granules, keys, faults and requests."""
        self.script = Script()
        self.keys = Keys()
        self.objects = {}
        self.records = []
        self.collections = {}
        self.delay = 0.0
        """Seconds before each answer with data."""
        self.retry_after = 1
        """Seconds that an answer 429 asks for."""
        self.signed_lifetime = 3600.0
        """Seconds that the target of a redirect is good for."""
        self.signatures = set()
        self.page_size = 2000
        """Records of a page of the catalogue."""
        self.elsewhere = None
        """Where the archive redirects to instead of the CDN."""
        self.told_others = []
        """What the Authorization headers of requests to another host said."""
        self.leaks = []
        """Requests to the target of a redirect that carried an Authorization header."""

    def put(self, name, data, *, key=None, in_catalog=True):
        """Archive a granule; gives its name. ``key``: below ``ATLAS/``, by default as at NSIDC."""
        parts = parse_name(name)
        if key is None:
            day = f"{parts.start:%Y/%m/%d}/" if parts.start else ""
            key = f"{parts.collection}/{parts.release}/{day}{name}"
        key = f"ATLAS/{key}"
        self.objects[key] = data
        if in_catalog:
            self.records.append(granule_record(name, key, data, len(self.records)))
            kind = (parts.collection, parts.release)
            self.collections.setdefault(kind, collection_record(*kind))
        return name

    # Serving

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    async def _start(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await self.proxy.start()
        await web.SockSite(self._runner, self._socket, ssl_context=self._tls).start()

    async def _stop(self):
        await self.proxy.stop()
        await self._runner.cleanup()
        for transport in list(self._transports):  # TLS would wait for the other side's goodbye
            transport.abort()
        await asyncio.sleep(0.05)

    def __exit__(self, *_):
        self.script.released.set()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _answer(self, request):
        self._transports.add(request.transport)
        host = request.host.partition(":")[0]
        fault = self.script.note(
            request.method, f"{host}{unquote(request.path)}", request.headers.get("Range")
        )
        if fault == "expire":
            self.keys.expire()
            fault = None
        if fault == "slow":
            await asyncio.sleep(0.2)
        if fault == "hang":
            await self._silence()
        if fault in {"hang", "reset"}:
            request.transport.abort()
            return web.Response()
        if isinstance(fault, int):
            return self._failure(host, fault)
        if fault == "loop":
            return web.Response(status=302, headers={"Location": f"{request.path}?state=secret"})
        if fault == "html":
            return web.Response(text="<html>Earthdata Login</html>", content_type="text/html")
        answer = await self._routes[host](request)
        answer.headers.setdefault("Date", formatdate(self.keys.now(), usegmt=True))
        if fault in {"truncate", "short"} and answer.body:
            return await self._cut(request, answer, honest=fault == "short")
        return answer

    async def _silence(self):
        await asyncio.to_thread(self.script.released.wait, 30)

    def _failure(self, host, status):
        headers = {"Retry-After": str(self.retry_after)} if status == 429 else {}
        if host == S3_HOST:
            code = {403: "AccessDenied", 404: "NoSuchKey", 503: "SlowDown"}.get(status, "Told")
            return _s3_error(status, code)
        body = {"errors": [f"ordered to answer {status}"]}
        return web.json_response(body, status=status, headers=headers)

    async def _cut(self, request, answer, *, honest):
        """Send half of the body; ``honest`` if the headers say so too."""
        half = answer.body[: len(answer.body) // 2]
        headers = {
            name: value for name, value in answer.headers.items() if name != "Content-Length"
        }
        if honest:
            return web.Response(status=answer.status, body=half, headers=headers)
        sent = web.StreamResponse(status=answer.status, headers=headers)
        sent.content_length = len(answer.body)
        await sent.prepare(request)
        await sent.write(half)
        request.transport.close()
        return sent

    # The hosts

    async def _cmr(self, request):
        params = [(name, value) for name, value in request.query.items()]
        if request.method == "POST":
            params += [(name, value) for name, value in (await request.post()).items()]
        after = request.headers.get("CMR-Search-After")
        kind = request.path.rpartition("/")[2].partition(".")[0]
        records = self.records if kind == "granules" else list(self.collections.values())
        try:
            body, headers = search(records, params, after, self.page_size)
        except RejectedError as error:
            return web.json_response({"errors": [str(error)]}, status=400)
        return web.json_response(body, headers=headers)

    async def _login(self, request):
        given = request.headers.get("Authorization", "")
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if given != f"Basic {basic}" and not self.keys.knows(given):
            return web.json_response({"error": "invalid_credentials"}, status=401)
        if request.path == f"/api/users/{USER}":
            return web.json_response({"uid": USER, "email_address": "reader@example.org"})
        token = {
            "access_token": self.keys.new_token(),
            "token_type": "Bearer",
            "expiration_date": f"{datetime.now(UTC) + timedelta(days=60):%m/%d/%Y}",
        }
        return web.json_response([token] if request.path == "/api/users/tokens" else token)

    async def _data(self, request):
        if not self.keys.knows(request.headers.get("Authorization", "")):
            return web.json_response({"error": "invalid_token"}, status=401)
        if request.path == "/s3credentials":
            return web.json_response(self.keys.new_key())
        key = request.path.removeprefix(f"/{BUCKET}/")
        if key not in self.objects:
            return web.Response(status=404, text="no such object")
        if self.elsewhere:
            raise web.HTTPSeeOther(self.elsewhere)
        until = self.keys.now() + self.signed_lifetime
        location = f"https://{CDN_HOST}/{quote(key)}?A-userid={USER}&Expires={until}"
        raise web.HTTPSeeOther(f"{location}&Signature={self._signature(key, until)}")

    def expire_redirects(self):
        """No address that a redirect gave is good any more."""
        self._signing = os.urandom(8).hex()

    def _signature(self, key, until):
        signature = hashlib.sha256(f"{key}{until}{self._signing}".encode()).hexdigest()
        self.signatures.add(signature)
        return signature

    def secrets(self):
        """Everything that must be seen nowhere."""
        return self.keys.secrets() | self.signatures

    async def _cdn(self, request):
        if "Authorization" in request.headers:
            self.leaks.append(request.path)
            return web.Response(status=400, text="Only one auth mechanism allowed")
        key, until = request.path[1:], float(request.query.get("Expires", 0))
        signed = request.query.get("Signature") == self._signature(key, until)
        if not signed or until <= self.keys.now():
            return _s3_error(403, "AccessDenied")
        return await self._object(request, key)

    async def _other(self, request):
        self.told_others.append(request.headers.get("Authorization"))
        return await self._object(request, request.path[1:])

    async def _s3(self, request):
        try:
            self.keys.check(request)
        except RefusedError as error:
            return _s3_error(error.status, error.code)
        key = request.path[1:]
        if key not in self.objects:
            return _s3_error(404, "NoSuchKey")
        return await self._object(request, key)

    async def _object(self, request, key):
        data = self.objects[key]
        await asyncio.sleep(self.delay)
        headers = {"ETag": f'"{zlib.crc32(data):08x}"', "Content-Type": "application/x-hdf5"}
        asked = _RANGE.match(request.headers.get("Range", ""))
        if asked is None:
            headers["Content-Length"] = str(len(data))  # which aiohttp leaves out of HEAD's, if 0
            return web.Response(body=data, headers=headers)
        first, last = asked[1], int(asked[2])
        first = int(first) if first else max(0, len(data) - last)  # or so many at the end
        last = min(last, len(data) - 1) if asked[1] else len(data) - 1
        if first >= len(data):
            headers["Content-Range"] = f"bytes */{len(data)}"
            return web.Response(status=416, headers=headers)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        return web.Response(status=206, body=data[first : last + 1], headers=headers)

    # Clients

    def names(self):
        """Name service for a client in this process."""
        return Names(self.port)


def _s3_error(status, code):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as ordered</Message></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")


def close_web_sessions():
    """Close what :mod:`xr_icesat2.earthdata.http_session` keeps open for the life of a process."""
    from fsspec.asyn import sync  # noqa: PLC0415 - as the module below, only where it is used

    from xr_icesat2.earthdata.http_session import http_filesystems  # noqa: PLC0415

    async def close(filesystem):
        session = await filesystem.set_session()
        await session.close()

    webs = http_filesystems()
    while webs:
        loop, filesystem = webs.popitem()
        if loop.is_running():
            with suppress(Exception):
                sync(loop, close, filesystem, timeout=2)
