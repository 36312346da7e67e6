"""A loopback S3 server that checks signatures, logs requests and fails on command.

The S3 side is hadro's; this adds a layer around its ASGI application.
"""

import asyncio
import socket
import threading
import time

import hadro
import uvicorn

from tests.faults import SLOW, Script

KEY = "AKIAEXAMPLE"
SECRET = "example-secret"  # noqa: S105 - of the loopback server
REGION = "us-west-2"

_CODES = {
    301: "PermanentRedirect",
    400: "AuthorizationHeaderMalformed",
    403: "AccessDenied",
    404: "NoSuchKey",
    416: "InvalidRange",
    500: "InternalError",
}


class S3Server:
    """Directories below ``root`` as buckets, on a free port of loopback.

    Parameters
    ----------
    root : Path
        Its subdirectories are the buckets.
    **settings
        For ``hadro.Config``: ``latency_ms``, ``bandwidth_mbps``, ``error_rate`` …
    """

    key, secret = KEY, SECRET

    def __init__(self, root, **settings):
        self.root = root
        self.bucket_dir = root
        self.script = Script()
        config = hadro.Config(
            data=str(root), region=REGION, access_key=KEY, secret_key=SECRET, **settings
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(
                _Layer(hadro.create_app(config), self.script, root),
                log_level="critical",
                access_log=False,
                lifespan="off",
                loop="asyncio",
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def storage_options(self):
        """What s3fs needs to reach this server."""
        return {
            "key": self.key,
            "secret": self.secret,
            "endpoint_url": self.endpoint,
            "client_kwargs": {"region_name": REGION},
        }

    @property
    def log(self):
        """Requests as the server saw them."""
        return self.script.log

    def use_bucket(self, name):
        """Make a bucket and serve it as *the* bucket from here on."""
        self.bucket_dir = self.root / name
        self.bucket_dir.mkdir()
        self.script.clear()

    def url(self, name):
        """URL of an object of the bucket."""
        return f"s3://{self.bucket_dir.name}/{name}"

    def put(self, name, data):
        """Store ``data`` in the bucket; gives the URL."""
        path = self.bucket_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return self.url(name)

    def __enter__(self):
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            assert self._thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.script.released.set()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()
        self._socket.close()


class _Layer:
    """ASGI: note each request, and answer some of them wrongly."""

    def __init__(self, app, script, root):
        self._app = app
        self._script = script
        self._root = root

    async def __call__(self, scope, receive, send):
        headers = dict(scope["headers"])
        self._script.heads.append((scope["raw_path"].decode(), headers))
        asked = headers.get(b"range", b"").decode()
        fault = self._script.note(scope["method"], scope["path"], asked)
        if fault == "slow":
            await asyncio.sleep(SLOW)
        if fault == "hang":
            await self._silence(receive)
        elif isinstance(fault, int):
            await _error(scope, send, fault)
        elif fault in {"short", "truncate"} and scope["method"] == "GET":
            await self._app(scope, receive, _Cut(send, honest=fault == "short"))
        elif fault == "ignore-range":
            await _answer(scope, send, 200, (self._root / scope["path"][1:]).read_bytes())
        else:
            await self._app(scope, receive, send)

    async def _silence(self, receive):
        await receive()  # the request
        gone = asyncio.ensure_future(receive())  # the client hangs up
        while not (gone.done() or self._script.released.is_set()):
            await asyncio.wait([gone], timeout=0.05)
        gone.cancel()


class _Cut:
    """Send the answer without its last byte; ``honest`` if the headers say so too."""

    def __init__(self, send, *, honest):
        self._send = send
        self._honest = honest

    async def __call__(self, message):
        if message["type"] == "http.response.start" and self._honest:
            message = {**message, "headers": [_one_less(item) for item in message["headers"]]}
        elif message["type"] == "http.response.body" and message.get("body"):
            message = {**message, "body": message["body"][:-1]}
        await self._send(message)


def _one_less(header):
    name, value = header
    return (name, str(int(value) - 1).encode()) if name == b"content-length" else header


async def _error(scope, send, status):
    code = _CODES.get(status, "SlowDown")
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as ordered</Message></Error>"
    await _answer(scope, send, status, body.encode())


async def _answer(scope, send, status, body):
    body = b"" if scope["method"] == "HEAD" else body
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
