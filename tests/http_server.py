"""A loopback HTTP server of blobs, with ``Range`` and faults on command."""

import re
import socket
import sys
import threading
import time
import zlib
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.faults import SLOW, Script

LOGIN_PAGE = b"<!DOCTYPE html><html><body>Earthdata Login</body></html>"
_PIECE = 1 << 16
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class BlobServer:
    """Blobs by name over HTTP, on a free port of loopback."""

    def __init__(self):
        self.blobs = {}
        self.script = Script()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.blobs, self._server.script = self.blobs, self.script
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def put(self, name, data):
        """Serve ``data`` as ``name``; gives the URL."""
        self.blobs[name] = data
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.script.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # with the five of the default, connections wait for seconds

    def handle_error(self, *_):
        """Clients hang up in these tests; anything else is a fault of this server."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*_)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urlsplit(self.path).path
        heads = {name.lower().encode(): value.encode() for name, value in self.headers.items()}
        self.server.script.heads.append((path, heads))
        fault = self.server.script.note(self.command, path, self.headers["Range"])
        data = self.server.blobs.get(path[1:])
        with suppress(ConnectionError):
            if fault == "slow":
                time.sleep(SLOW)
            if fault in {"hang", "reset"}:
                self._silence(wait=fault == "hang")
            elif isinstance(fault, int):
                self._error(fault)
            elif data is None:
                self._error(404)
            elif fault == "html":
                self._send(200, LOGIN_PAGE, {"Content-Type": "text/html; charset=utf-8"})
            else:
                self._serve(data, fault)

    def _silence(self, *, wait):
        if wait:
            self.server.script.released.wait(30)
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _error(self, status):
        self._send(status, b"no", {"Content-Type": "text/plain"})

    def _serve(self, data, fault):
        headers = {
            "ETag": f'"{zlib.crc32(data):08x}"',
            "Content-Type": "application/x-hdf5",
        }
        if fault == "no-tag":
            del headers["ETag"]
        asked = _RANGE.match(self.headers["Range"] or "")
        if asked is None or fault == "ignore-range":
            self._send(200, data, headers, fault)
            return
        first, last = int(asked[1]), min(int(asked[2]), len(data) - 1)
        if first >= len(data):
            self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        if fault == "wrong-range":
            first, last = 0, last - first
        if fault == "short":
            last = max(first, last - 1)
        piece = data[first : last + 1]
        size = "*" if fault == "no-size" else len(data)
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        if fault == "too-long":
            piece += b"more"
        self._send(206, piece, headers, fault)

    def _send(self, status, data, headers, fault=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if fault == "no-length":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            end = len(data) // 2 if fault == "truncate" else len(data)
            for start in range(0, end, _PIECE):
                self.wfile.write(data[start : min(start + _PIECE, end)])
                self.server.script.sent += _PIECE
        if fault in {"truncate", "no-length"}:
            self.close_connection = True

    def log_message(self, *_):
        """Stay silent."""
