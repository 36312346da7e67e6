"""Attach the bearer token of Earthdata Login to requests to trusted hosts only."""

from __future__ import annotations

import os
import re

from xr_icesat2.bytesource.redaction import safe_url
from xr_icesat2.errors import AccessDeniedError

__all__ = ["DOMAINS", "HOSTS_VARIABLE", "bearer_header"]

DOMAINS = {
    "earthdata.nasa.gov": "Earthdata Login, which issues the token, and CMR",
    "earthdatacloud.nasa.gov": "the archives in the cloud, data.nsidc.earthdatacloud.nasa.gov",
}
"""Domains whose hosts get the token, with the reason. NSIDC's own domain, nsidc.org, is not one of
them: no granule that this library reads is stored there."""

HOSTS_VARIABLE = "XR_ICESAT2_TOKEN_HOSTS"
"""Names further hosts, separated by commas, such as a proxy or a mirror of one's own."""

# No user name and no backslash: two parsers could read such a URL differently.
_URL = re.compile(r"https://(?P<host>[a-z0-9][a-z0-9.-]*)(?P<port>:\d+)?/[!-~]*", re.IGNORECASE)


def bearer_header(url: str, token: str) -> dict[str, str]:
    """Return the header that carries the token to ``url``.

    aiohttp drops it where a redirect leads to another host.

    Raises
    ------
    AccessDeniedError
        The URL is not HTTPS, or its host is not trusted.
    """
    if not _may_know_token(url):
        raise AccessDeniedError(
            f"The Earthdata token is not sent to {safe_url(url)}, expected HTTPS and a host of "
            f"{' or '.join(DOMAINS)}. If you trust that host with your login, add it to the "
            f"environment variable {HOSTS_VARIABLE}. Files opened by an https:// URL are requested "
            "without the token."
        )
    return {"Authorization": f"Bearer {token}"}


def _may_know_token(url: str) -> bool:
    found = _URL.fullmatch(url)
    if found is None:
        return False
    host, port = found["host"].lower(), (found["port"] or "").removesuffix(":443")
    named = os.environ.get(HOSTS_VARIABLE, "").lower().replace(" ", "").split(",")
    is_earthdata = any(host == domain or host.endswith(f".{domain}") for domain in DOMAINS)
    return f"{host}{port}" in named or (is_earthdata and not port)
