"""Who may read: Earthdata Login's tokens, and temporary S3 keys with their expiry."""

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import hadro.auth
import hadro.errors

USER, PASSWORD = "reader", "open-sesame-42"


@dataclass(frozen=True)
class Key:
    """A temporary S3 key."""

    name: str
    secret: str
    token: str
    expires: float


class RefusedError(Exception):
    """S3 answers with an error."""

    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Keys:
    """What has been given to whom. Times are those of the server's clock."""

    lifetime: float = 3600.0
    """Seconds that an S3 key lives."""
    skew: float = 0.0
    """Seconds that the server's clock is ahead of this machine's."""
    expired: tuple[int, str] = (400, "ExpiredToken")
    """How S3 answers an expired token; SeaweedFS says (403, "InvalidAccessKeyId")."""
    refuses_region: bool = False
    """S3 refuses everybody, as it does outside us-west-2."""
    tokens: dict[str, float] = field(default_factory=dict)
    """Bearer tokens and when they expire."""
    keys: dict[str, Key] = field(default_factory=dict)
    given: list[float] = field(default_factory=list)
    """When an S3 key was given, by the monotonic clock."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self):
        return time.time() + self.skew

    def new_token(self, lifetime=60 * 86400):
        """Return a bearer token."""
        token = f"eyJ-{secrets.token_urlsafe(30)}"
        self.tokens[token] = self.now() + lifetime
        return token

    def knows(self, authorization):
        """Whether the header carries a bearer token that is good now."""
        kind, _, token = authorization.partition(" ")
        return kind == "Bearer" and self.tokens.get(token, 0) > self.now()

    def new_key(self):
        """Return an S3 key; the answer of ``s3credentials``."""
        with self._lock:
            self.given.append(time.monotonic())
            key = Key(
                f"ASIA{secrets.token_hex(8).upper()}",
                secrets.token_urlsafe(30),
                secrets.token_urlsafe(60),
                self.now() + self.lifetime,
            )
            self.keys[key.name] = key
        expires = datetime.fromtimestamp(key.expires, UTC)
        return {
            "accessKeyId": key.name,
            "secretAccessKey": key.secret,
            "sessionToken": key.token,
            "expiration": expires.isoformat(sep=" "),
        }

    def expire(self):
        """All S3 keys and tokens given so far are dead from now on."""
        with self._lock:
            self.keys = {
                name: Key(name, key.secret, key.token, 0.0) for name, key in self.keys.items()
            }

    def secrets(self):
        """Everything that must be seen nowhere."""
        with self._lock:
            of_keys = [(key.name, key.secret, key.token) for key in self.keys.values()]
        return {PASSWORD, *self.tokens, *(part for parts in of_keys for part in parts)}

    def check(self, request):
        """Refuse a request to S3 unless it is signed by a key that lives.

        The signature is checked by hadro, which shares no code with botocore.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = headers.get("authorization", "")
        name = signed.partition("Credential=")[2].partition("/")[0]
        key = self.keys.get(name)
        if not signed:
            raise RefusedError(403, "AccessDenied")
        if key is None:
            raise RefusedError(403, "InvalidAccessKeyId")
        sent = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        now = datetime.fromtimestamp(self.now(), UTC)
        if abs(sent - now) > timedelta(minutes=15):
            raise RefusedError(403, "RequestTimeTooSkewed")
        if headers.get("x-amz-security-token") != key.token or (
            "x-amz-security-token" not in signed
        ):
            raise RefusedError(403, "InvalidToken")
        path, _, query = request.raw_path.partition("?")
        try:
            hadro.auth.verify(
                method=request.method,
                raw_path=path,
                query_string=query,
                headers=headers,
                body=b"",
                access_key=key.name,
                secret_key=key.secret,
            )
        except hadro.errors.S3Error as error:
            raise RefusedError(403, error.code) from None
        if key.expires <= self.now():
            raise RefusedError(*self.expired)
        if self.refuses_region:
            raise RefusedError(403, "AccessDenied")
